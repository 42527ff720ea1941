package dev.gradus.nn;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Modules as PyTorch prints them, and the numbers in them as Python does. */
final class ModulePrinter {
  private ModulePrinter() {}

  static String print(Module module) {
    List<String> lines = new ArrayList<>();
    String extra = module.describe();
    boolean oneLine = !extra.isEmpty() && module.children().isEmpty() && extra.indexOf('\n') < 0;
    if (oneLine) {
      return module.typeName() + "(" + extra + ")";
    }
    if (!extra.isEmpty()) {
      lines.addAll(List.of(extra.split("\n", -1)));
    }
    if (module instanceof ModuleList<?> list) {
      addFolded(list, lines);
    } else {
      module.children().forEach((name, child) -> lines.add(line(name, child.toString())));
    }
    if (lines.isEmpty()) {
      return module.typeName() + "()";
    }
    return module.typeName() + "(\n  " + String.join("\n  ", lines) + "\n)";
  }

  private static String line(String name, String child) {
    return "(" + name + "): " + child.replace("\n", "\n  ");
  }

  /** Equal neighbours of a list on one line: {@code (0-1): 2 x Linear(…)}. */
  private static void addFolded(ModuleList<?> list, List<String> lines) {
    int start = 0;
    while (start < list.size()) {
      String child = list.get(start).toString();
      int end = start;
      while (end + 1 < list.size() && list.get(end + 1).toString().equals(child)) {
        end++;
      }
      int count = end - start + 1;
      lines.add(
          count == 1
              ? line(String.valueOf(start), child)
              : line(start + "-" + end, count + " x " + child));
      start = end + 1;
    }
  }

  /** The sizes as a tuple: {@code (3,)}, {@code (2, 3)}. */
  static String tuple(long[] sizes) {
    StringBuilder s = new StringBuilder("(");
    for (int i = 0; i < sizes.length; i++) {
      s.append(i == 0 ? "" : ", ").append(sizes[i]);
    }
    return s.append(sizes.length == 1 ? ",)" : ")").toString();
  }

  /** A truth value as Python writes it. */
  static String truth(boolean value) {
    return value ? "True" : "False";
  }

  /** A number as Python writes it: {@code 0.25}, {@code 1e-05}, {@code inf}. */
  static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(value);
    if (Double.isNaN(value) || size == 0 || (size >= 1e-3 && size < 1e7)) {
      return Double.isNaN(value) ? "nan" : Double.toString(value);
    }
    BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    if (size >= 1e-4 && size < 1e16) {
      String plain = exact.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String digits = exact.unscaledValue().abs().toString();
    int exponent = exact.precision() - exact.scale() - 1;
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    String sign = exponent < 0 ? "-" : "+";
    String power = (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    return (value < 0 ? "-" : "") + mantissa + "e" + sign + power;
  }
}
