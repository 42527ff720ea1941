package dev.gradus.backend.cuda;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a device is used.
 *
 * @param memory the most bytes it may hold; {@link Long#MAX_VALUE} leaves it to the device
 * @param caching whether freed memory is kept for the next storage
 * @param tf32 whether float32 products may round their operands to TF32
 * @param atomics whether rows may be summed by their ids in any order, by atomic operations
 * @param debug whether every launch is waited for, so that an error names the one that made it
 */
record CudaSettings(long memory, boolean caching, boolean tf32, boolean atomics, boolean debug) {
  static final String MEMORY = "gradus.cuda.memory";
  static final String CACHE = "gradus.cuda.cache";
  static final String TF32 = "gradus.cuda.tf32";
  static final String ATOMICS = "gradus.cuda.atomics";
  static final String DEBUG = "gradus.cuda.debug";

  private static final Pattern SIZE = Pattern.compile("(\\d{1,12})([kmgt]?)");
  private static final String UNITS = "kmgt";
  private static final int UNIT_BITS = 10;

  /** What a device does when nobody asks for anything else. */
  static final CudaSettings DEFAULTS = new CudaSettings(Long.MAX_VALUE, true, false, false, false);

  /** The settings that these properties ask for. */
  static CudaSettings of(Properties properties) {
    String memory = properties.getProperty(MEMORY);
    return new CudaSettings(
        memory == null ? DEFAULTS.memory : bytes(memory),
        flag(properties, CACHE, DEFAULTS.caching),
        flag(properties, TF32, DEFAULTS.tf32),
        flag(properties, ATOMICS, DEFAULTS.atomics),
        flag(properties, DEBUG, DEFAULTS.debug));
  }

  /** What they mean for results, in the words of reports. */
  Map<String, String> details() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("precision", tf32 ? "products of float32 round to TF32" : "true float32");
    details.put(
        "sums of rows by ids",
        atomics ? "by atomic operations: bits may differ from run to run" : "in a fixed order");
    return details;
  }

  private static long bytes(String text) {
    Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!size.matches() || Long.parseLong(size.group(1)) == 0) {
      throw new IllegalArgumentException(
          MEMORY
              + " must be a number of bytes above 0, with k, m, g or t behind it or not, but is '"
              + text
              + "'");
    }
    int unit = size.group(2).isEmpty() ? 0 : UNITS.indexOf(size.group(2)) + 1;
    long number = Long.parseLong(size.group(1));
    int bits = unit * UNIT_BITS;
    return number > Long.MAX_VALUE >> bits ? Long.MAX_VALUE : number << bits;
  }

  private static boolean flag(Properties properties, String name, boolean otherwise) {
    String value = properties.getProperty(name);
    if (value == null) {
      return otherwise;
    }
    return switch (value.strip()) {
      case "on" -> true;
      case "off" -> false;
      default ->
          throw new IllegalArgumentException(name + " must be on or off but is '" + value + "'");
    };
  }

  CudaSettings withMemory(long bytes) {
    return new CudaSettings(bytes, caching, tf32, atomics, debug);
  }

  CudaSettings withCaching(boolean on) {
    return new CudaSettings(memory, on, tf32, atomics, debug);
  }

  CudaSettings withAtomics(boolean on) {
    return new CudaSettings(memory, caching, tf32, on, debug);
  }

  CudaSettings withDebug(boolean on) {
    return new CudaSettings(memory, caching, tf32, atomics, on);
  }
}
