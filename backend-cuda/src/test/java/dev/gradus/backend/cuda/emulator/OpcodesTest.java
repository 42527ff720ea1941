package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntBinaryOperator;
import java.util.function.LongBinaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Each instruction against Java's arithmetic, over all pairs of awkward operands: NaN, infinities,
 * zeros of both signs, subnormals, the ends of the integers.
 */
class OpcodesTest {
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

  private static float f(long bits) {
    return Float.intBitsToFloat((int) bits);
  }

  private static double d(long bits) {
    return Double.longBitsToDouble(bits);
  }

  private static long bits(float value) {
    return Float.isNaN(value) ? SINGLE_NAN : Float.floatToRawIntBits(value);
  }

  private static long bits(double value) {
    return Double.doubleToRawLongBits(value);
  }

  /** Runs all cases over all combinations of operands. */
  private static void verify(Opcodes opcodes) {
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

  private static void ints(Opcodes o, String text, String types, IntBinaryOperator meaning) {
    o.add(text, types, (a, b, c) -> meaning.applyAsInt((int) a, (int) b));
  }

  private static void longs(Opcodes o, String text, String types, LongBinaryOperator meaning) {
    o.add(text, types, (a, b, c) -> meaning.applyAsLong(a, b));
  }

  private static void singles(Opcodes o, String text, BiFunction<Float, Float, Float> meaning) {
    o.add(text, "f32 f32 f32", (a, b, c) -> bits(meaning.apply(f(a), f(b))));
  }

  private static void doubles(Opcodes o, String text, DoubleBinaryOperator meaning) {
    o.add(text, "f64 f64 f64", (a, b, c) -> bits(meaning.applyAsDouble(d(a), d(b))));
  }

  @Test
  void integersOf32Bits() {
    Opcodes o = new Opcodes();
    ints(o, "add.s32", "s32 s32 s32", (a, b) -> a + b);
    ints(o, "sub.s32", "s32 s32 s32", (a, b) -> a - b);
    ints(o, "mul.lo.s32", "s32 s32 s32", (a, b) -> a * b);
    longs(o, "mul.hi.s32", "s32 s32 s32", (a, b) -> a * b >> 32);
    longs(o, "mul.hi.u32", "u32 u32 u32", (a, b) -> a * b >>> 32);
    longs(o, "mul.wide.s32", "s64 s32 s32", (a, b) -> a * b);
    longs(o, "mul.wide.u32", "u64 u32 u32", (a, b) -> a * b);
    o.add("mad.lo.s32", "s32 s32 s32 s32", (a, b, c) -> a * b + c);
    o.add("mad.hi.s32", "s32 s32 s32 s32", (a, b, c) -> (a * b >> 32) + c);
    o.add("mad.wide.s32", "s64 s32 s32 s64", (a, b, c) -> a * b + c);
    o.add("mad.wide.u32", "u64 u32 u32 u64", (a, b, c) -> a * b + c);
    ints(o, "div.s32", "s32 s32 s32", (a, b) -> b == 0 ? -1 : a / b);
    ints(o, "div.u32", "u32 u32 u32", (a, b) -> b == 0 ? -1 : Integer.divideUnsigned(a, b));
    ints(o, "rem.s32", "s32 s32 s32", (a, b) -> b == 0 ? a : a % b);
    ints(o, "rem.u32", "u32 u32 u32", (a, b) -> b == 0 ? a : Integer.remainderUnsigned(a, b));
    ints(o, "min.s32", "s32 s32 s32", Math::min);
    ints(o, "max.s32", "s32 s32 s32", Math::max);
    longs(o, "min.u32", "u32 u32 u32", Math::min);
    longs(o, "max.u32", "u32 u32 u32", Math::max);
    ints(o, "abs.s32", "s32 s32", (a, b) -> a < 0 ? -a : a);
    ints(o, "neg.s32", "s32 s32", (a, b) -> -a);
    ints(o, "and.b32", "b32 b32 b32", (a, b) -> a & b);
    ints(o, "or.b32", "b32 b32 b32", (a, b) -> a | b);
    ints(o, "xor.b32", "b32 b32 b32", (a, b) -> a ^ b);
    ints(o, "not.b32", "b32 b32", (a, b) -> ~a);
    ints(o, "cnot.b32", "b32 b32", (a, b) -> a == 0 ? 1 : 0);
    longs(o, "shl.b32", "b32 b32 u32", (a, b) -> b > 31 ? 0 : (int) a << b);
    longs(o, "shr.u32", "u32 u32 u32", (a, b) -> b > 31 ? 0 : a >>> b);
    longs(o, "shr.s32", "s32 s32 u32", (a, b) -> (int) a >> Math.min(31, b));
    ints(o, "popc.b32", "u32 b32", (a, b) -> Integer.bitCount(a));
    ints(o, "clz.b32", "u32 b32", (a, b) -> Integer.numberOfLeadingZeros(a));
    ints(o, "brev.b32", "b32 b32", (a, b) -> Integer.reverse(a));
    ints(o, "bfind.u32", "u32 u32", (a, b) -> 31 - Integer.numberOfLeadingZeros(a));
    ints(o, "bfind.s32", "u32 s32", (a, b) -> 31 - Integer.numberOfLeadingZeros(a < 0 ? ~a : a));
    ints(
        o,
        "bfind.shiftamt.u32",
        "u32 u32",
        (a, b) -> a == 0 ? -1 : Integer.numberOfLeadingZeros(a));
    o.add("sad.s32", "s32 s32 s32 s32", (a, b, c) -> c + Math.abs(a - b));
    o.add("bfe.u32", "u32 u32 u32 u32", (a, b, c) -> field(a, b & 255, c & 255, 32, false));
    o.add("bfe.s32", "s32 s32 u32 u32", (a, b, c) -> field(a, b & 255, c & 255, 32, true));
    o.add("prmt.b32", "b32 b32 b32 b32", OpcodesTest::permuted);
    o.add("shf.l.wrap.b32", "b32 b32 b32 u32", (a, b, c) -> ((b << 32 | a) << (c & 31)) >>> 32);
    o.add(
        "shf.l.clamp.b32",
        "b32 b32 b32 u32",
        (a, b, c) -> c >= 32 ? a : ((b << 32 | a) << c) >>> 32);
    o.add("shf.r.wrap.b32", "b32 b32 b32 u32", (a, b, c) -> (b << 32 | a) >>> (c & 31));
    o.add("shf.r.clamp.b32", "b32 b32 b32 u32", (a, b, c) -> c >= 32 ? b : (b << 32 | a) >>> c);
    verify(o);
  }

  private static long field(long a, long from, long count, int width, boolean signed) {
    long top = Math.min(from + count - 1, width - 1);
    boolean sign = signed && count > 0 && (a >> top & 1) == 1;
    long result = 0;
    for (int i = 0; i < width; i++) {
      boolean bit = i < count && from + i < width ? (a >> (from + i) & 1) == 1 : sign;
      result |= bit ? 1L << i : 0;
    }
    return result;
  }

  private static long permuted(long a, long b, long selector) {
    long result = 0;
    for (int i = 0; i < 4; i++) {
      int s = (int) (selector >> 4 * i) & 15;
      long part = ((s & 4) == 0 ? a : b) >> 8 * (s & 3) & 255;
      if ((s & 8) != 0) {
        part = part > 127 ? 255 : 0;
      }
      result |= part << 8 * i;
    }
    return result;
  }

  @Test
  void integersOf64Bits() {
    Opcodes o = new Opcodes();
    longs(o, "add.s64", "s64 s64 s64", (a, b) -> a + b);
    longs(o, "sub.s64", "s64 s64 s64", (a, b) -> a - b);
    longs(o, "mul.lo.s64", "s64 s64 s64", (a, b) -> a * b);
    longs(o, "mul.hi.s64", "s64 s64 s64", Math::multiplyHigh);
    longs(
        o,
        "mul.hi.u64",
        "u64 u64 u64",
        (a, b) -> Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a));
    o.add("mad.lo.s64", "s64 s64 s64 s64", (a, b, c) -> a * b + c);
    longs(o, "div.s64", "s64 s64 s64", (a, b) -> b == 0 ? -1 : a / b);
    longs(o, "div.u64", "u64 u64 u64", (a, b) -> b == 0 ? -1 : Long.divideUnsigned(a, b));
    longs(o, "rem.s64", "s64 s64 s64", (a, b) -> b == 0 ? a : a % b);
    longs(o, "rem.u64", "u64 u64 u64", (a, b) -> b == 0 ? a : Long.remainderUnsigned(a, b));
    longs(o, "min.s64", "s64 s64 s64", Math::min);
    longs(o, "max.u64", "u64 u64 u64", (a, b) -> Long.compareUnsigned(a, b) > 0 ? a : b);
    longs(o, "neg.s64", "s64 s64", (a, b) -> -a);
    longs(o, "abs.s64", "s64 s64", (a, b) -> a < 0 ? -a : a);
    longs(o, "and.b64", "b64 b64 b64", (a, b) -> a & b);
    longs(o, "or.b64", "b64 b64 b64", (a, b) -> a | b);
    longs(o, "xor.b64", "b64 b64 b64", (a, b) -> a ^ b);
    longs(o, "not.b64", "b64 b64", (a, b) -> ~a);
    longs(o, "shl.b64", "b64 b64 u32", (a, b) -> b > 63 ? 0 : a << b);
    longs(o, "shr.u64", "u64 u64 u32", (a, b) -> b > 63 ? 0 : a >>> b);
    longs(o, "shr.s64", "s64 s64 u32", (a, b) -> a >> Math.min(63, b));
    longs(o, "popc.b64", "u32 b64", (a, b) -> Long.bitCount(a));
    longs(o, "clz.b64", "u32 b64", (a, b) -> Long.numberOfLeadingZeros(a));
    longs(o, "brev.b64", "b64 b64", (a, b) -> Long.reverse(a));
    longs(o, "bfind.u64", "u32 u64", (a, b) -> 63 - Long.numberOfLeadingZeros(a));
    o.add("bfe.u64", "u64 u64 u32 u32", (a, b, c) -> field(a, b & 255, c & 255, 64, false));
    o.add("bfe.s64", "s64 s64 u32 u32", (a, b, c) -> field(a, b & 255, c & 255, 64, true));
    verify(o);
  }

  @Test
  void integersOf16Bits() {
    Opcodes o = new Opcodes();
    longs(o, "add.s16", "s16 s16 s16", (a, b) -> a + b);
    longs(o, "sub.u16", "u16 u16 u16", (a, b) -> a - b);
    longs(o, "mul.lo.s16", "s16 s16 s16", (a, b) -> a * b);
    longs(o, "mul.hi.u16", "u16 u16 u16", (a, b) -> a * b >> 16);
    longs(o, "mul.wide.s16", "s32 s16 s16", (a, b) -> a * b);
    longs(o, "mul.wide.u16", "u32 u16 u16", (a, b) -> a * b);
    longs(o, "min.s16", "s16 s16 s16", Math::min);
    longs(o, "max.u16", "u16 u16 u16", Math::max);
    longs(o, "and.b16", "b16 b16 b16", (a, b) -> a & b);
    longs(o, "not.b16", "b16 b16", (a, b) -> ~a);
    longs(o, "shl.b16", "b16 b16 u32", (a, b) -> b > 15 ? 0 : a << b);
    longs(o, "shr.u16", "u16 u16 u32", (a, b) -> b > 15 ? 0 : a >> b);
    longs(o, "shr.s16", "s16 s16 u32", (a, b) -> a >> Math.min(15, b));
    verify(o);
  }

  @Test
  void comparisons() {
    Opcodes o = new Opcodes();
    for (String type : List.of("s32", "u32", "s64", "s16")) {
      longs(o, "setp.eq." + type, "pred " + type + " " + type, (a, b) -> a == b ? 1 : 0);
      longs(o, "setp.ne." + type, "pred " + type + " " + type, (a, b) -> a != b ? 1 : 0);
      longs(o, "setp.lt." + type, "pred " + type + " " + type, (a, b) -> a < b ? 1 : 0);
      longs(o, "setp.le." + type, "pred " + type + " " + type, (a, b) -> a <= b ? 1 : 0);
      longs(o, "setp.gt." + type, "pred " + type + " " + type, (a, b) -> a > b ? 1 : 0);
      longs(o, "setp.ge." + type, "pred " + type + " " + type, (a, b) -> a >= b ? 1 : 0);
    }
    longs(o, "setp.lt.u64", "pred u64 u64", (a, b) -> Long.compareUnsigned(a, b) < 0 ? 1 : 0);
    floatComparisons(o, "f32", (a, b) -> Float.compare(f(a), f(b)));
    floatComparisons(o, "f64", (a, b) -> Double.compare(d(a), d(b)));
    verify(o);
  }

  private static void floatComparisons(
      Opcodes o, String type, BiFunction<Long, Long, Integer> order) {
    boolean single = type.equals("f32");
    for (String name : List.of("eq", "ne", "lt", "le", "gt", "ge", "num", "nan")) {
      for (String suffix :
          name.startsWith("n") && !name.equals("ne") ? List.of("") : List.of("", "u")) {
        longs(
            o,
            "setp." + name + suffix + "." + type,
            "pred " + type + " " + type,
            (a, b) -> {
              boolean nan =
                  single
                      ? Float.isNaN(f(a)) || Float.isNaN(f(b))
                      : Double.isNaN(d(a)) || Double.isNaN(d(b));
              boolean zeros = single ? f(a) == 0 && f(b) == 0 : d(a) == 0 && d(b) == 0;
              return compared(name, suffix, nan, zeros ? 0 : order.apply(a, b));
            });
      }
    }
  }

  private static long compared(String name, String suffix, boolean nan, int order) {
    if (name.equals("num") || name.equals("nan")) {
      return nan == name.equals("nan") ? 1 : 0;
    }
    if (nan) {
      return suffix.equals("u") ? 1 : 0;
    }
    boolean result =
        switch (name) {
          case "eq" -> order == 0;
          case "ne" -> order != 0;
          case "lt" -> order < 0;
          case "le" -> order <= 0;
          case "gt" -> order > 0;
          default -> order >= 0;
        };
    return result ? 1 : 0;
  }

  @Test
  void singlePrecision() {
    Opcodes o = new Opcodes();
    singles(o, "add.rn.f32", (a, b) -> a + b);
    singles(o, "add.f32", (a, b) -> a + b);
    singles(o, "sub.rn.f32", (a, b) -> a - b);
    singles(o, "mul.rn.f32", (a, b) -> a * b);
    singles(o, "div.rn.f32", (a, b) -> a / b);
    singles(o, "min.f32", (a, b) -> Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.min(a, b));
    singles(o, "max.f32", (a, b) -> Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.max(a, b));
    o.add("fma.rn.f32", "f32 f32 f32 f32", (a, b, c) -> bits(Math.fma(f(a), f(b), f(c))));
    o.add("sqrt.rn.f32", "f32 f32", (a, b, c) -> bits((float) Math.sqrt(f(a))));
    o.add("rcp.rn.f32", "f32 f32", (a, b, c) -> bits(1 / f(a)));
    o.add("abs.f32", "f32 f32", (a, b, c) -> a & 0x7FFFFFFF);
    o.add("neg.f32", "f32 f32", (a, b, c) -> a ^ 0x80000000L);
    o.add("copysign.f32", "f32 f32 f32", (a, b, c) -> (a & 0x80000000L) | (b & 0x7FFFFFFF));
    singles(o, "add.ftz.f32", (a, b) -> flushed(flushed(a) + flushed(b)));
    singles(o, "mul.ftz.f32", (a, b) -> flushed(flushed(a) * flushed(b)));
    singles(o, "add.sat.f32", (a, b) -> saturated(a + b));
    o.add(
        "fma.rn.ftz.sat.f32",
        "f32 f32 f32 f32",
        (a, b, c) -> bits(saturated(Math.fma(flushed(f(a)), flushed(f(b)), flushed(f(c))))));
    verify(o);
  }

  private static float flushed(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
  }

  private static float saturated(float value) {
    return value >= 1 ? 1 : value > 0 ? value : 0;
  }

  @Test
  void doublePrecision() {
    Opcodes o = new Opcodes();
    doubles(o, "add.rn.f64", (a, b) -> a + b);
    doubles(o, "sub.f64", (a, b) -> a - b);
    doubles(o, "mul.rn.f64", (a, b) -> a * b);
    doubles(o, "div.rn.f64", (a, b) -> a / b);
    doubles(o, "min.f64", (a, b) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b));
    doubles(o, "max.f64", (a, b) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b));
    o.add("fma.rn.f64", "f64 f64 f64 f64", (a, b, c) -> bits(Math.fma(d(a), d(b), d(c))));
    o.add("sqrt.rn.f64", "f64 f64", (a, b, c) -> bits(Math.sqrt(d(a))));
    o.add("rcp.rn.f64", "f64 f64", (a, b, c) -> bits(1 / d(a)));
    o.add("abs.f64", "f64 f64", (a, b, c) -> a & Long.MAX_VALUE);
    o.add("neg.f64", "f64 f64", (a, b, c) -> a ^ Long.MIN_VALUE);
    doubles(
        o,
        "copysign.f64",
        (a, b) -> Double.longBitsToDouble((bits(a) & Long.MIN_VALUE) | (bits(b) & Long.MAX_VALUE)));
    verify(o);
  }

  @Test
  void directedRounding() {
    Opcodes o = new Opcodes();
    for (String mode : List.of("rz", "rm", "rp")) {
      o.add(
          "add." + mode + ".f32", "f32 f32 f32", (a, b, c) -> bits(directed(mode, 1, f(a), f(b))));
      o.add(
          "mul." + mode + ".f32",
          "f32 f32 f32",
          (a, b, c) -> bits(directed(mode, f(a), f(b), Math.copySign(0.0, (double) f(a) * f(b)))));
      o.add(
          "fma." + mode + ".f32",
          "f32 f32 f32 f32",
          (a, b, c) -> bits(directed(mode, f(a), f(b), f(c))));
      o.add(
          "cvt." + mode + ".f32.s32",
          "f32 s32",
          (a, b, c) -> bits(directed(mode, 1, (double) a, 0.0)));
    }
    verify(o);
  }

  /** a b + c rounded towards zero, down or up. */
  private static float directed(String mode, double a, double b, double c) {
    if (!Double.isFinite(a) || !Double.isFinite(b) || !Double.isFinite(c)) {
      return (float) (a * b + c);
    }
    BigDecimal exact = new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c));
    int sign = exact.signum();
    if (sign == 0) {
      boolean negative = Math.copySign(1, a * b) < 0;
      boolean agree = a * b == 0 && c == 0 && negative == Math.copySign(1, c) < 0;
      return agree ? (float) c : mode.equals("rm") ? -0f : 0f;
    }
    boolean down = mode.equals("rm") || (mode.equals("rz") && sign > 0);
    float value = exact.floatValue();
    while (above(value, exact)) {
      value = Math.nextDown(value);
    }
    while (below(value, exact)) {
      value = Math.nextUp(value);
    }
    // now the smallest float that is not below
    if (down && !equal(value, exact)) {
      value = Math.nextDown(value);
    }
    return value == 0 && sign < 0 ? -0f : value;
  }

  private static boolean above(float value, BigDecimal exact) {
    return value == Float.POSITIVE_INFINITY
        || (value != Float.NEGATIVE_INFINITY && new BigDecimal(value).compareTo(exact) > 0);
  }

  private static boolean below(float value, BigDecimal exact) {
    return value == Float.NEGATIVE_INFINITY
        || (value != Float.POSITIVE_INFINITY && new BigDecimal(value).compareTo(exact) < 0);
  }

  private static boolean equal(float value, BigDecimal exact) {
    return Float.isFinite(value) && new BigDecimal(value).compareTo(exact) == 0;
  }

  @Test
  void approximations() {
    Opcodes o = new Opcodes();
    close(o, "ex2.approx.f32", a -> Math.pow(2, a));
    close(o, "lg2.approx.f32", a -> Math.log(a) / Math.log(2));
    close(o, "sin.approx.f32", a -> Double.isInfinite(a) ? Double.NaN : Math.sin(a));
    close(o, "cos.approx.f32", a -> Double.isInfinite(a) ? Double.NaN : Math.cos(a));
    close(o, "rsqrt.approx.f32", a -> 1 / Math.sqrt(a));
    close(o, "rcp.approx.f32", a -> 1 / a);
    close(o, "tanh.approx.f32", Math::tanh);
    o.addClose("rcp.approx.ftz.f64", "f64 f64", 1L << 33, (a, b, c) -> bits(coarse(1 / d(a))));
    o.addClose("rsqrt.approx.f64", "f64 f64", 2, (a, b, c) -> bits(1 / Math.sqrt(d(a))));
    verify(o);
  }

  private static double coarse(double value) {
    return Math.abs(value) < Double.MIN_NORMAL ? Math.copySign(0, value) : value;
  }

  private static void close(Opcodes o, String text, DoubleUnaryOperator meaning) {
    o.addClose(text, "f32 f32", 4, (a, b, c) -> bits((float) meaning.applyAsDouble(f(a))));
  }

  @Test
  void conversions() {
    Opcodes o = new Opcodes();
    for (String source : List.of("f32", "f64")) {
      boolean single = source.equals("f32");
      for (String mode : List.of("rni", "rzi", "rmi", "rpi")) {
        for (String type : List.of("s32", "u32", "s64", "u64", "s16", "u8")) {
          o.add(
              "cvt." + mode + "." + type + "." + source,
              type + " " + source,
              (a, b, c) -> integer(single ? f(a) : d(a), mode, type, single));
        }
        o.add(
            "cvt." + mode + "." + source + "." + source,
            source + " " + source,
            (a, b, c) -> single ? bits((float) integral(f(a), mode)) : bits(integral(d(a), mode)));
      }
    }
    o.add("cvt.rn.f32.s32", "f32 s32", (a, b, c) -> bits((float) (int) a));
    o.add("cvt.rn.f32.u32", "f32 u32", (a, b, c) -> bits((float) a));
    o.add("cvt.rn.f32.s64", "f32 s64", (a, b, c) -> bits((float) a));
    o.add("cvt.rn.f32.u64", "f32 u64", (a, b, c) -> bits(unsigned(a).floatValue()));
    o.add("cvt.rn.f32.s16", "f32 s16", (a, b, c) -> bits((float) a));
    o.add("cvt.rn.f64.s64", "f64 s64", (a, b, c) -> bits((double) a));
    o.add("cvt.rn.f64.u64", "f64 u64", (a, b, c) -> bits(unsigned(a).doubleValue()));
    o.add("cvt.rn.f64.s32", "f64 s32", (a, b, c) -> bits((double) (int) a));
    o.add("cvt.f64.f32", "f64 f32", (a, b, c) -> bits((double) f(a)));
    o.add("cvt.rn.f32.f64", "f32 f64", (a, b, c) -> bits((float) d(a)));
    o.add("cvt.sat.f32.f32", "f32 f32", (a, b, c) -> bits(saturated(f(a))));
    o.add("cvt.ftz.f32.f32", "f32 f32", (a, b, c) -> bits(flushed(f(a))));
    for (String from : List.of("s32", "u32", "s64", "u64", "s16", "u16")) {
      for (String to : List.of("s32", "u32", "s64", "u64", "s16", "u16")) {
        o.add("cvt." + to + "." + from, to + " " + from, (a, b, c) -> a);
      }
      o.add("cvt.s8." + from, "s16 " + from, (a, b, c) -> (byte) a);
      o.add("cvt.u8." + from, "u16 " + from, (a, b, c) -> a & 255);
    }
    o.add("cvt.sat.u8.s32", "u16 s32", (a, b, c) -> Math.max(0, Math.min(255, a)));
    o.add("cvt.sat.s16.s32", "s16 s32", (a, b, c) -> Math.max(-32768, Math.min(32767, a)));
    o.add("cvt.s32.s8", "s32 s32", (a, b, c) -> (byte) a);
    o.add("cvt.u64.u8", "u64 u32", (a, b, c) -> a & 255);
    verify(o);
  }

  private static BigDecimal unsigned(long value) {
    return new BigDecimal(Long.toUnsignedString(value));
  }

  private static double integral(double value, String mode) {
    return switch (mode) {
      case "rni" -> Math.rint(value);
      case "rzi" -> value < 0 ? Math.ceil(value) : Math.floor(value);
      case "rmi" -> Math.floor(value);
      default -> Math.ceil(value);
    };
  }

  private static long integer(double value, String mode, String type, boolean single) {
    int width = 8 * Opcodes.bytes(type);
    if (Double.isNaN(value)) {
      return single && width < 64 ? 0 : 1L << (width - 1);
    }
    if (Double.isInfinite(value)) {
      value = Math.copySign(1e300, value);
    }
    BigDecimal exact = new BigDecimal(integral(value, mode));
    boolean signed = type.startsWith("s");
    BigDecimal two = BigDecimal.valueOf(2);
    BigDecimal most = two.pow(signed ? width - 1 : width).subtract(BigDecimal.ONE);
    BigDecimal least = signed ? two.pow(width - 1).negate() : BigDecimal.ZERO;
    return exact.max(least).min(most).longValue();
  }

  @Test
  void aWrongExpectationIsNoticed() {
    Opcodes o = new Opcodes();
    o.add("add.s32", "s32 s32 s32", (a, b, c) -> a + b + 1);
    AssertionError wrong = null;
    try {
      verify(o);
    } catch (AssertionError e) {
      wrong = e;
    }
    assertTrue(
        wrong != null && wrong.getMessage().startsWith("add.s32 of 0 0 0"),
        "a wrong expectation goes unnoticed");
  }
}
