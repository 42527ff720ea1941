package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

class ElementTypeTest {
  @Test
  void everyBinary16HasTheValueOfItsFormula() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      int exponent = bits >> 10 & 31;
      int fraction = bits & 1023;
      double magnitude =
          exponent == 31
              ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
              : exponent == 0
                  ? Math.scalb((double) fraction, -24)
                  : Math.scalb(1024.0 + fraction, exponent - 25);
      float expected = (float) Math.copySign(magnitude, bits >= 1 << 15 ? -1 : 1);
      float actual = ElementType.fromF16((short) bits);
      assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(actual));
      // The sign and the payload of NaN are kept too.
      assertEquals(bits >> 15, Float.floatToRawIntBits(actual) >>> 31);
      assertTrue(exponent != 31 || (Float.floatToRawIntBits(actual) >> 13 & 1023) == fraction);
    }
  }

  @Test
  void aBrainFloatIsTheUpperHalfOfAFloat() {
    assertEquals(1.0f, ElementType.fromBf16((short) 0x3f80));
    assertEquals(-2.5f, ElementType.fromBf16((short) 0xc020));
  }

  @Test
  void everyTypeOfTensorIsReadAsItself() {
    for (DType dtype : DType.values()) {
      assertSame(dtype, ElementType.of(dtype).readAs());
      assertEquals(Byte.SIZE * dtype.bytes(), ElementType.of(dtype).bits());
      assertSame(ElementType.of(dtype), ElementType.named(dtype.name()));
    }
    assertNull(ElementType.named("f32"));
  }
}
