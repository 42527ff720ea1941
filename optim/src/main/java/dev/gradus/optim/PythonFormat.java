package dev.gradus.optim;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.StringJoiner;

/** Values as Python prints them: {@code 0.001}, {@code 1e-08}, {@code False}. */
final class PythonFormat {
  private static final int MAX_DIGITS = 17;
  private static final int LEAST_FIXED = -4;
  private static final int LEAST_SCIENTIFIC = 16;

  private PythonFormat() {}

  /** A number, a truth value, or a list of numbers, which is printed as a tuple; 0 is {@code 0}. */
  static String of(Object value) {
    if (value instanceof Boolean b) {
      return b ? "True" : "False";
    }
    if (value instanceof List<?> tuple) {
      StringJoiner joined = new StringJoiner(", ", "(", ")");
      tuple.forEach(v -> joined.add(v instanceof Double d ? of(d.doubleValue()) : of(v)));
      return joined.toString();
    }
    // PyTorch's zeros are integers: its defaults of decay, momentum and dampening
    if (value instanceof Double d) {
      return d == 0 ? "0" : of(d.doubleValue());
    }
    return String.valueOf(value);
  }

  /** The shortest text that reads back as this number. */
  static String of(double x) {
    if (!Double.isFinite(x)) {
      return Double.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
    }
    if (x == 0) {
      return 1 / x < 0 ? "-0.0" : "0.0";
    }
    BigDecimal d = shortest(x);
    int exponent = d.precision() - d.scale() - 1;
    if (exponent >= LEAST_FIXED && exponent < LEAST_SCIENTIFIC) {
      String s = d.toPlainString();
      return s.contains(".") ? s : s + ".0";
    }
    String digits = d.unscaledValue().abs().toString();
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    String power = (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    return (x < 0 ? "-" : "") + mantissa + "e" + (exponent < 0 ? "-" : "+") + power;
  }

  // Double.toString is not always the shortest before JDK 19
  private static BigDecimal shortest(double x) {
    BigDecimal exact = new BigDecimal(x);
    for (int digits = 1; digits < MAX_DIGITS; digits++) {
      BigDecimal d = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (d.doubleValue() == x) {
        return d.stripTrailingZeros();
      }
    }
    return exact.round(new MathContext(MAX_DIGITS, RoundingMode.HALF_EVEN)).stripTrailingZeros();
  }
}
