package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

class ValuesTest {
  private static long distance(float a, float b) {
    Values x = new Values(DType.F32, new long[] {Float.floatToRawIntBits(a)});
    Values y = new Values(DType.F32, new long[] {Float.floatToRawIntBits(b)});
    assertEquals(x.distance(y, 0), y.distance(x, 0));
    return x.distance(y, 0);
  }

  private static long distance(double a, double b) {
    Values x = new Values(DType.F64, new long[] {Double.doubleToRawLongBits(a)});
    Values y = new Values(DType.F64, new long[] {Double.doubleToRawLongBits(b)});
    assertEquals(x.distance(y, 0), y.distance(x, 0));
    return x.distance(y, 0);
  }

  @Test
  void neighboursAreOneStepApart() {
    assertEquals(0, distance(-1.5f, -1.5f));
    assertEquals(1, distance(1, Math.nextDown(1f)));
    assertEquals(3, distance(-Float.MIN_VALUE, 2 * Float.MIN_VALUE));
    assertEquals(1, distance(-1, Math.nextUp(-1d)));
    assertEquals(2, distance(Double.MIN_VALUE, -Double.MIN_VALUE));
  }

  @Test
  void zerosOfBothSignsDiffer() {
    assertEquals(1, distance(0f, -0f));
    assertEquals(1, distance(0d, -0d));
  }

  @Test
  void aNanIsAsGoodAsAnyAndNearNoNumber() {
    assertEquals(0, distance(Float.intBitsToFloat(0x7fffffff), Float.NaN));
    assertEquals(0, distance(Double.longBitsToDouble(0xfff8000000000000L), Double.NaN));
    assertEquals(Long.MAX_VALUE, distance(Float.NaN, 1));
  }

  @Test
  void anInfinityIsNearNoNumber() {
    assertEquals(Long.MAX_VALUE, distance(Float.POSITIVE_INFINITY, Float.MAX_VALUE));
    assertEquals(Long.MAX_VALUE, distance(Double.MAX_VALUE, -Double.MAX_VALUE));
  }

  @Test
  void wholeNumbersAreEqualOrNot() {
    Values x = new Values(DType.I64, new long[] {7, 8});
    assertEquals(0, x.distance(new Values(DType.I64, new long[] {7, 9}), 0));
    assertEquals(Long.MAX_VALUE, x.distance(new Values(DType.I64, new long[] {7, 9}), 1));
  }

  @Test
  void theTextHasTheNumberAndItsBits() {
    assertEquals("1.5 (0x3fc00000)", new Values(DType.F32, new long[] {0x3fc00000}).text(0));
    assertEquals("-7", new Values(DType.I64, new long[] {-7}).text(0));
  }
}
