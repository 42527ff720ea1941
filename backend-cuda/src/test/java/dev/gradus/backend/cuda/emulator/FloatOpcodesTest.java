package dev.gradus.backend.cuda.emulator;

import java.math.BigDecimal;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Each floating-point instruction and each conversion does what Java does, bit for bit where IEEE
 * 754 says it.
 */
class FloatOpcodesTest extends OpcodeCheck {
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
}
