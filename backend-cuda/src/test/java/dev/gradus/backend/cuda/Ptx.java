package dev.gradus.backend.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the tests read out of the PTX in the jar. */
final class Ptx {
  private static final Pattern ENTRY = Pattern.compile("\\.entry (\\w+)\\(([^)]*)\\)");
  private static final Pattern PARAMETER = Pattern.compile("\\.param (\\.align \\d+ )?\\.(\\w+) ");

  private Ptx() {}

  static String text() {
    try {
      return Kernels.ptx();
    } catch (CudaUnusable e) {
      throw new AssertionError(e);
    }
  }

  /** The kernels by their names, each with the types of its parameters. */
  static Map<String, String> kernels() {
    Map<String, String> kernels = new LinkedHashMap<>();
    Matcher entry = ENTRY.matcher(text());
    while (entry.find()) {
      StringBuilder types = new StringBuilder();
      Matcher parameter = PARAMETER.matcher(entry.group(2));
      while (parameter.find()) {
        types.append(types.isEmpty() ? "" : " ").append(parameter.group(2));
      }
      kernels.put(entry.group(1), types.toString());
    }
    return kernels;
  }
}
