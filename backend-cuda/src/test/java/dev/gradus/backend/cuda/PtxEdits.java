package dev.gradus.backend.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * PTX texts as other devices might run them: with approximations that are off as far as NVIDIA
 * allows them to be, with products and sums that are rounded once, and with planted errors.
 */
final class PtxEdits {
  private static final Pattern APPROXIMATION =
      Pattern.compile("\\s*(ex2|rcp)\\.approx\\.ftz\\.(f32|f64) \\s*(%\\w+), %\\w+;");
  private static final Pattern THREE =
      Pattern.compile("\\s*(mul|add|sub)\\.(f32|f64) \\s*(%\\w+), ([%\\w]+), ([%\\w]+);");
  private static final Pattern RESULT =
      Pattern.compile("\\s*(?:@!?%p\\d+ )?[a-z][\\w.]*\\s+(%\\w+),.*");
  private static final Pattern ENTRY = Pattern.compile(".*\\.entry (\\w+)\\(");
  private static final Pattern STORE =
      Pattern.compile("\\s*st\\.global\\.(?:v[24]\\.)?(f32|f64) .*\\{?(%fd?\\d+)[,};].*");

  private PtxEdits() {}

  /** Which way results are moved. */
  enum Way {
    UP,
    DOWN,
    /** Some up and some down, by a bit of theirs. */
    MIXED
  }

  /**
   * Every approximation moved by its greatest error: 2 units in the last place of ex2 and 1 of rcp
   * in single precision, 2^-20 of rcp in double. Zeros, infinities and NaN stay, and where ex2
   * serves double precision, which asks it for powers that are exact.
   */
  static String approximationsOff(String ptx, Way way) {
    StringBuilder out = new StringBuilder();
    boolean single = false;
    for (String line : ptx.lines().toList()) {
      out.append(line).append('\n');
      Matcher entry = ENTRY.matcher(line);
      if (entry.matches()) {
        single = entry.group(1).endsWith("_f32");
      }
      if (line.equals("{")) {
        out.append(".reg .b32 %gi<3>;\n.reg .f32 %gs<3>;\n.reg .pred %gp<3>;\n");
      }
      Matcher m = APPROXIMATION.matcher(line);
      if (m.matches() && m.group(2).equals("f64")) {
        String factor = way == Way.DOWN ? "0d3FEFFFFE00000000" : "0d3FF0000100000000";
        out.append(String.format("mul.rn.f64 %1$s, %1$s, %2$s;%n", m.group(3), factor));
      } else if (m.matches() && single) {
        moveSingle(m.group(3), m.group(1).equals("ex2") ? 2 : 1, way, out);
      }
    }
    return out.toString();
  }

  private static void moveSingle(String r, int ulps, Way way, StringBuilder out) {
    int up = way == Way.DOWN ? -ulps : ulps;
    int other = way == Way.MIXED ? -ulps : up;
    out.append(
        String.format(
            """
            mov.b32 %%gi0, %1$s;
            and.b32 %%gi1, %%gi0, 8;
            setp.eq.s32 %%gp0, %%gi1, 0;
            selp.b32 %%gi1, %2$d, %3$d, %%gp0;
            add.s32 %%gi0, %%gi0, %%gi1;
            mov.b32 %%gs0, %%gi0;
            abs.f32 %%gs1, %1$s;
            setp.gt.f32 %%gp0, %%gs1, 0f00000000;
            selp.f32 %%gs0, %%gs0, %1$s, %%gp0;
            setp.lt.f32 %%gp0, %%gs1, 0f7F800000;
            selp.f32 %1$s, %%gs0, %1$s, %%gp0;
            """,
            r, up, other));
  }

  /** Every sum of a product that does not say how it rounds taken as one operation. */
  static String contracted(String ptx) {
    StringBuilder out = new StringBuilder();
    List<String> body = new ArrayList<>();
    for (String line : ptx.lines().toList()) {
      if (line.startsWith("}")) {
        contract(body, out);
        body.clear();
      }
      if (line.startsWith("{") || !body.isEmpty()) {
        body.add(line);
      } else {
        out.append(line).append('\n');
      }
    }
    return out.toString();
  }

  private static void contract(List<String> body, StringBuilder out) {
    Map<String, Integer> writes = new HashMap<>();
    Map<String, Matcher> products = new HashMap<>();
    for (String line : body) {
      Matcher result = RESULT.matcher(line);
      if (result.matches()) {
        writes.merge(result.group(1), 1, Integer::sum);
      }
      Matcher m = THREE.matcher(line);
      if (m.matches() && m.group(1).equals("mul")) {
        products.put(m.group(3), m);
      }
    }
    products
        .values()
        .removeIf(m -> writes(writes, m, 3) + writes(writes, m, 4) + writes(writes, m, 5) > 3);
    int turned = 0;
    for (String line : body) {
      if (line.equals("{")) {
        line = "{\n.reg .f32 %gs<999>;\n.reg .f64 %gd<999>;";
      }
      Matcher m = THREE.matcher(line);
      if (m.matches() && !m.group(1).equals("mul")) {
        boolean second = products.containsKey(m.group(5));
        Matcher product = products.get(m.group(second ? 5 : 4));
        if (product != null) {
          String type = m.group(2);
          String minus = "%g" + (type.equals("f32") ? "s" : "d") + turned++;
          String factor = product.group(4);
          String other = m.group(second ? 4 : 5);
          line = "";
          if (m.group(1).equals("sub")) {
            line = "neg." + type + " " + minus + ", " + (second ? factor : other) + ";\n";
            factor = second ? minus : factor;
            other = second ? other : minus;
          }
          line +=
              String.format(
                  "fma.rn.%s %s, %s, %s, %s;", type, m.group(3), factor, product.group(5), other);
        }
      }
      out.append(line).append('\n');
    }
  }

  /** How often an operand is written; an immediate counts once. */
  private static int writes(Map<String, Integer> writes, Matcher m, int group) {
    return writes.getOrDefault(m.group(group), 1);
  }

  /** The first number that a kernel stores moved by some steps. */
  static String moved(String ptx, String kernel, int steps) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (String line : ptx.lines().toList()) {
      Matcher entry = ENTRY.matcher(line);
      inside = entry.matches() ? entry.group(1).equals(kernel) : inside;
      Matcher store = STORE.matcher(line);
      if (inside && line.equals("{")) {
        line = "{\n.reg .b32 %gs;\n.reg .b64 %gd;";
      } else if (inside && store.matches()) {
        boolean single = store.group(1).equals("f32");
        String bits = single ? "%gs" : "%gd";
        String size = single ? "32" : "64";
        String move = "mov.b" + size + " ";
        out.append(move + bits + ", " + store.group(2) + ";\n");
        out.append("add.s" + size + " " + bits + ", " + bits + ", " + steps + ";\n");
        out.append(move + store.group(2) + ", " + bits + ";\n");
        inside = false;
      }
      out.append(line).append('\n');
    }
    return out.toString();
  }
}
