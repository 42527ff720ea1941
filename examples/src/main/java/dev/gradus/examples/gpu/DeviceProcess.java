package dev.gradus.examples.gpu;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A part that the CUDA backend's own program does, in a process of its own. When that dies, what it
 * was at has failed, and another process goes on behind it.
 */
public final class DeviceProcess {
  private static final String PROGRAM = "dev.gradus.backend.cuda.DeviceCheck";
  private static final Duration SILENCE = Duration.ofMinutes(5);

  /** The exit code of the program where the device was lost, which it has told. */
  private static final int LOST = 3;

  private final String part;
  private final String last;
  private final List<CheckItem> items = new ArrayList<>();
  private final Map<String, String> details = new LinkedHashMap<>();
  private int count = Integer.MAX_VALUE;
  private int done;
  private @Nullable String open;
  private double copyBandwidth;

  private DeviceProcess(String part, String last) {
    this.part = part;
    this.last = last;
  }

  /**
   * What the part {@code kernels} or {@code speed} finds.
   *
   * @param quick whether little is done, to see whether it works
   * @param details gets what the device tells of itself
   */
  public static CheckPart run(String part, boolean quick, Map<String, String> details) {
    DeviceProcess process = new DeviceProcess(part, quick ? "quick" : "full");
    long begin = System.nanoTime();
    String problem;
    try {
      problem = process.run();
    } catch (IOException e) {
      problem = String.valueOf(e.getMessage());
    }
    details.putAll(process.details);
    return new CheckPart(part, process.items, problem, (System.nanoTime() - begin) / 1e9);
  }

  /** Starts processes until all is done; returns why it is not, or nothing. */
  private String run() throws IOException {
    while (done < count) {
      int before = done;
      ChildProcess child = new ChildProcess(SILENCE);
      int code = child.run(new ProcessBuilder(command()), this::take);
      if (open != null) {
        items.add(CheckItem.failed(open, child.end(code)));
        open = null;
        done++;
      } else if (code != 0 && code != LOST) {
        return child.end(code);
      }
      if (done == before) {
        return "a process did nothing; " + child.end(code);
      }
    }
    return "";
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    command.add("-Xshare:auto");
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    properties().forEach((name, value) -> command.add("-D" + name + "=" + value));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), PROGRAM));
    command.addAll(List.of(part, String.valueOf(done), last));
    return command;
  }

  /** The properties of this process that are Gradus' own, and with which others are started. */
  static Map<String, String> properties() {
    Map<String, String> own = new TreeMap<>();
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith("gradus.")) {
        own.put(name, System.getProperty(name));
      }
    }
    return own;
  }

  private void take(String line) {
    String[] f = line.split("\t", -1);
    if (!f[0].equals("check") || f.length < 3) {
      return;
    }
    switch (f[1]) {
      case "count" -> count = Integer.parseInt(f[2]);
      case "detail" -> details.put(f[2], f[3]);
      case "begin" -> open = f[2];
      case "passed" -> end(passed(f));
      case "failed" -> end(CheckItem.failed(f[2], f[3]));
      case "timed" -> end(timed(f));
      default -> {}
    }
  }

  private void end(CheckItem item) {
    items.add(item);
    open = null;
    done++;
  }

  private static CheckItem passed(String[] f) {
    Map<String, Object> values = new LinkedHashMap<>(); // the columns of the table, in this order
    values.put("bound", f[3]);
    values.put("ulps", Long.parseLong(f[4]));
    return new CheckItem(f[2], CheckItem.Outcome.PASSED, "", values);
  }

  private CheckItem timed(String[] f) {
    double micros = Double.parseDouble(f[3]);
    double bytes = Double.parseDouble(f[4]);
    double operations = Double.parseDouble(f[5]);
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("microseconds", micros);
    if (bytes > 0) {
      double bandwidth = bytes / micros / 1e3;
      // The copy is the first.
      copyBandwidth = copyBandwidth == 0 ? bandwidth : copyBandwidth;
      values.put("GB/s", bandwidth);
      values.put("of copy", bandwidth / copyBandwidth);
    }
    if (operations > 0) {
      values.put("GFLOP/s", operations / micros / 1e3);
    }
    return new CheckItem(f[2], CheckItem.Outcome.PASSED, "", values);
  }
}
