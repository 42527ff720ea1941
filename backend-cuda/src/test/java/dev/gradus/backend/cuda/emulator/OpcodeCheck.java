package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.DoubleBinaryOperator;
import java.util.function.IntBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * Compares instructions with Java's arithmetic over all pairs of awkward operands: NaN, infinities,
 * zeros of both signs, subnormals, the ends of the integers.
 */
abstract class OpcodeCheck {
  private static final int SINGLE_NAN = 0x7FFFFFFF;

  private static final double[] FLOATS = {
    0.0,
    -0.0,
    1,
    -1,
    1.5,
    -2.5,
    0.5,
    3.25,
    1e-3,
    -7.75,
    255.5,
    65536.5,
    1e9,
    2147483648.0,
    -3e9,
    9.3e18,
    -9.3e18,
    1.9e19,
    1e30,
    -1e30,
    3e38,
    Float.MAX_VALUE,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    1e-39,
    -1e-39,
    Float.MIN_NORMAL,
    1e-20,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.NaN,
    1 / 3.0,
    -2 / 3.0,
    0.49999997,
    8388609,
    16777217
  };

  private static final double[] DOUBLES = {
    Double.MIN_VALUE,
    -Double.MIN_VALUE,
    1e-310,
    Double.MAX_VALUE,
    -Double.MAX_VALUE,
    1e300,
    0.49999999999999994,
    4503599627370497.5
  };

  private static final long[] INTEGERS = {
    0,
    1,
    2,
    3,
    5,
    7,
    8,
    15,
    16,
    31,
    32,
    33,
    63,
    64,
    100,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    0x12345678L,
    0x7FFFFFFFL,
    0x80000000L,
    0xFFFFFFFFL,
    0x100000000L,
    0x123456789ABCDEFL,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -2,
    -7,
    -128,
    -129,
    -32768,
    -2147483648L,
    -2147483649L
  };

  private static long[] values(String type) {
    if (type.startsWith("f")) {
      boolean wide = type.equals("f64");
      long[] bits = new long[FLOATS.length + (wide ? DOUBLES.length : 0)];
      for (int i = 0; i < bits.length; i++) {
        double value = i < FLOATS.length ? FLOATS[i] : DOUBLES[i - FLOATS.length];
        bits[i] = wide ? Double.doubleToRawLongBits(value) : Float.floatToRawIntBits((float) value);
      }
      return bits;
    }
    return INTEGERS;
  }

  private static long narrow(long value, String type) {
    int shift = 64 - 8 * Opcodes.bytes(type);
    return type.startsWith("s") ? value << shift >> shift : value << shift >>> shift;
  }

  static float f(long bits) {
    return Float.intBitsToFloat((int) bits);
  }

  static double d(long bits) {
    return Double.longBitsToDouble(bits);
  }

  static long bits(float value) {
    return Float.isNaN(value) ? SINGLE_NAN : Float.floatToRawIntBits(value);
  }

  static long bits(double value) {
    return Double.doubleToRawLongBits(value);
  }

  /** Runs all cases over all combinations of operands. */
  static void verify(Opcodes opcodes) {
    Gpu gpu = new Gpu("").with(opcodes.ptx());
    for (int k = 0; k < opcodes.cases().size(); k++) {
      Opcodes.Case c = opcodes.cases().get(k);
      List<long[]> rows = combinations(c);
      int n = rows.size();
      Object[] arguments = new Object[5];
      for (int operand = 0; operand < 3; operand++) {
        long[] column = new long[n];
        for (int i = 0; i < n; i++) {
          column[i] = rows.get(i)[operand];
        }
        arguments[operand] = gpu.upload(column);
      }
      arguments[4] = n;
      for (String kernel : List.of("op", "masked")) {
        Gpu.Memory out = gpu.upload(new long[n]);
        arguments[3] = out;
        Gpu.check(gpu.run(kernel + k, Gpu.blocks(n), Gpu.BLOCK, 0, arguments));
        long[] results = gpu.longs(out, n);
        for (int i = 0; i < n; i++) {
          check(c, rows.get(i), results[i], kernel.equals("masked") && i % 3 != 0);
        }
      }
    }
  }

  private static List<long[]> combinations(Opcodes.Case c) {
    List<long[]> rows = new ArrayList<>();
    long[] none = {0};
    long[] third = c.operands() < 3 ? none : values(c.type(3));
    for (long a : values(c.type(1))) {
      for (long b : c.operands() < 2 ? none : values(c.type(2))) {
        for (int k = 0; k < third.length; k += c.operands() < 3 ? 1 : 3) {
          rows.add(new long[] {a, b, third[(k + rows.size()) % third.length]});
        }
      }
    }
    return rows;
  }

  private static void check(Opcodes.Case c, long[] row, long result, boolean untouched) {
    long[] operands = new long[3];
    for (int k = 0; k < c.operands(); k++) {
      operands[k] = c.type(k + 1).startsWith("f") ? row[k] : narrow(row[k], c.type(k + 1));
    }
    String type = c.type(0).equals("pred") ? "u32" : c.type(0);
    long expected =
        untouched ? 0 : narrow(c.meaning().of(operands[0], operands[1], operands[2]), type);
    long actual = narrow(result, type);
    if (expected == actual || (type.equals("f64") && bothNaN(expected, actual))) {
      return;
    }
    String text = c.text() + String.format(" of %x %x %x", operands[0], operands[1], operands[2]);
    if (c.ulps() > 0 && type.equals("f32")) {
      assertEquals(f(expected), f(actual), c.ulps() * Math.ulp(f(expected)), text);
    } else if (c.ulps() > 0) {
      assertEquals(d(expected), d(actual), c.ulps() * Math.ulp(d(expected)), text);
    } else {
      assertEquals(Long.toHexString(expected), Long.toHexString(actual), text);
    }
  }

  private static boolean bothNaN(long a, long b) {
    return Double.isNaN(d(a)) && Double.isNaN(d(b));
  }

  static void ints(Opcodes o, String text, String types, IntBinaryOperator meaning) {
    o.add(text, types, (a, b, c) -> meaning.applyAsInt((int) a, (int) b));
  }

  static void longs(Opcodes o, String text, String types, LongBinaryOperator meaning) {
    o.add(text, types, (a, b, c) -> meaning.applyAsLong(a, b));
  }

  static void singles(Opcodes o, String text, BiFunction<Float, Float, Float> meaning) {
    o.add(text, "f32 f32 f32", (a, b, c) -> bits(meaning.apply(f(a), f(b))));
  }

  static void doubles(Opcodes o, String text, DoubleBinaryOperator meaning) {
    o.add(text, "f64 f64 f64", (a, b, c) -> bits(meaning.applyAsDouble(d(a), d(b))));
  }
}
