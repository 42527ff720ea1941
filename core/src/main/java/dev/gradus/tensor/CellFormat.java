package dev.gradus.tensor;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * The one format that all elements of a printed tensor share, chosen from the elements that are
 * shown.
 */
abstract class CellFormat {

  private static final int DIGITS = 4;
  private static final MathContext SCIENTIFIC = new MathContext(DIGITS + 1, RoundingMode.HALF_EVEN);

  private int width = 1;

  /** The width that narrower elements are padded to. */
  int width() {
    return width;
  }

  /** An element, right-aligned. */
  String padded(int index) {
    String text = text(index);
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }

  /** An element, not padded. */
  abstract String text(int index);

  final void widen(int least) {
    width = Math.max(width, least);
  }

  /** The format of integers: their decimal digits. */
  static CellFormat of(long[] values, int[] shown) {
    return widened(
        shown,
        new CellFormat() {
          @Override
          String text(int index) {
            return Long.toString(values[index]);
          }
        });
  }

  /** The format of booleans: {@code True} or {@code False}. */
  static CellFormat of(boolean[] values, int[] shown) {
    return widened(
        shown,
        new CellFormat() {
          @Override
          String text(int index) {
            return values[index] ? "True" : "False";
          }
        });
  }

  private static CellFormat widened(int[] shown, CellFormat format) {
    for (int index : shown) {
      format.widen(format.text(index).length());
    }
    return format;
  }

  /**
   * The format of floating-point numbers: whole numbers with a point, four decimals, or four
   * decimals and an exponent.
   */
  static CellFormat of(double[] values, int[] shown) {
    double least = Double.POSITIVE_INFINITY;
    double greatest = 0;
    boolean whole = true;
    for (int index : shown) {
      double value = values[index];
      if (counts(value)) {
        least = Math.min(least, Math.abs(value));
        greatest = Math.max(greatest, Math.abs(value));
        whole &= value == Math.rint(value);
      }
    }
    boolean scientific =
        greatest > 0 && (greatest / least > 1000 || greatest > 1e8 || least < 1e-4);
    CellFormat format = scientific ? scientific(values) : whole ? whole(values) : fixed(values);
    for (int index : shown) {
      if (counts(values[index])) { // zeros, NaN and infinities do not widen the column
        format.widen(format.text(index).length());
      }
    }
    return format;
  }

  private static boolean counts(double value) {
    return Double.isFinite(value) && value != 0;
  }

  private static CellFormat whole(double[] values) {
    return new CellFormat() {
      @Override
      String text(int index) {
        return Double.isFinite(values[index])
            ? fixedText(values[index], 0) + "."
            : nonFinite(values[index]);
      }
    };
  }

  private static CellFormat fixed(double[] values) {
    return new CellFormat() {
      @Override
      String text(int index) {
        return Double.isFinite(values[index])
            ? fixedText(values[index], DIGITS)
            : nonFinite(values[index]);
      }
    };
  }

  private static CellFormat scientific(double[] values) {
    return new CellFormat() {
      @Override
      String text(int index) {
        return Double.isFinite(values[index])
            ? scientificText(values[index])
            : nonFinite(values[index]);
      }
    };
  }

  private static String nonFinite(double value) {
    return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }

  private static String sign(double value) {
    return Double.doubleToRawLongBits(value) < 0 ? "-" : "";
  }

  // BigDecimal holds the exact binary value and rounds it once; %.4f rounds the shortest decimal,
  // half up
  private static String fixedText(double value, int decimals) {
    return sign(value)
        + new BigDecimal(Math.abs(value))
            .setScale(decimals, RoundingMode.HALF_EVEN)
            .toPlainString();
  }

  private static String scientificText(double value) {
    BigDecimal rounded = new BigDecimal(Math.abs(value)).round(SCIENTIFIC);
    int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    String digits = rounded.unscaledValue().toString();
    digits += "0".repeat(DIGITS + 1 - digits.length());
    return sign(value)
        + digits.charAt(0)
        + "."
        + digits.substring(1)
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }
}
