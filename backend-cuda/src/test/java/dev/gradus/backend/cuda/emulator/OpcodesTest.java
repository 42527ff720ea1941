package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** Each instruction on integers, and each comparison, does what Java does. */
class OpcodesTest extends OpcodeCheck {
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
