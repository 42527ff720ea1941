package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process of {@code gradus gpu-check}, on the first device: {@code kernels FROM} runs the cases,
 * {@code speed FROM quick|full} the trials, each from number FROM on. What it finds are lines of
 * fields with tabs between, the first of them {@code check}. After an error that ends the device it
 * ends too, with {@value #LOST}: whoever started it starts another one for the rest.
 */
final class DeviceCheck {
  /** The exit code where the device was lost. */
  static final int LOST = 3;

  private static final Pattern LIBRARY =
      Pattern.compile("/\\S*lib(cuda|cublas|cublasLt|nvidia-ptxjitcompiler)\\.so\\S*");

  private final PrintStream out;

  private DeviceCheck(PrintStream out) {
    this.out = out;
  }

  /** Runs one part. */
  public static void main(String[] args) throws Exception {
    // What fails here fails the process, and its trace is the reason.
    NativeLoader.ofProcess().loadDriver();
    int status = Cu.init();
    if (status != Cu.SUCCESS) {
      throw new IllegalStateException("cuInit failed: " + Cu.text(status));
    }
    DeviceCheck check = new DeviceCheck(new PrintStream(System.out, true, StandardCharsets.UTF_8));
    int from = Integer.parseInt(args[1]);
    boolean usable =
        args[0].equals("kernels")
            ? check.kernels(from)
            : check.speed(from, args[2].equals("quick"));
    if (!usable) {
      System.exit(LOST);
    }
  }

  private static CudaSettings settings() {
    return CudaSettings.of(System.getProperties());
  }

  /** Opens the device without cuBLAS, whose order of adding is its own. */
  private static Backend openOwn(CudaSettings settings) throws CudaUnusable {
    CudaUnusable why = CudaUnusable.absent("the check leaves cuBLAS out", "none is needed");
    return CudaBackend.open(0, settings, new BlasLibrary(why));
  }

  private void line(String... fields) {
    StringBuilder line = new StringBuilder("check");
    for (String field : fields) {
      line.append('\t').append(field.replaceAll("\\s+", " "));
    }
    out.println(line);
  }

  /** What is done for one case or trial. */
  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  /**
   * Does something, and tells when it begins and how it fails; whether the device is still there.
   */
  private boolean attempt(String name, Backend backend, Work work) {
    line("begin", name);
    try {
      work.run();
    } catch (Exception e) {
      line("failed", name, String.valueOf(e.getMessage() == null ? e : e.getMessage()));
    }
    return !CudaBackend.deviceOf(backend).status().isLost();
  }

  private boolean kernels(int from) throws CudaUnusable, IOException {
    KernelCheck check = new KernelCheck(RecordedValues.ofJar(), PtxEntries.of(Kernels.ptx()));
    List<KernelCase> all = KernelCase.all();
    line("count", String.valueOf(all.size()));
    try (Backend plain = openOwn(settings().withAtomics(false));
        Backend atomic = openOwn(settings().withAtomics(true))) {
      for (KernelCase c : all.subList(from, all.size())) {
        Backend on = c.atomics() ? atomic : plain;
        if (!attempt(c.name(), on, () -> tell(c.name(), check.run(c, on)))) {
          return false;
        }
      }
    }
    return true;
  }

  private void tell(String name, KernelCheck.Outcome outcome) {
    if (!outcome.problem().isEmpty()) {
      line("failed", name, outcome.problem());
    } else {
      String bound = outcome.exact() ? "bits" : KernelCheck.MOST_ULPS + " ulps";
      line("passed", name, bound, String.valueOf(outcome.ulps()));
    }
  }

  private boolean speed(int from, boolean quick) throws CudaUnusable, IOException {
    try (Backend backend = CudaBackend.open(0, settings(), BlasLibrary.ofProcess());
        Backend own = openOwn(settings())) {
      for (Map.Entry<String, String> e : backend.details().entrySet()) {
        line("detail", e.getKey(), e.getValue());
      }
      libraries();
      KernelSpeed.Sizes sizes =
          quick ? KernelSpeed.Sizes.quick() : KernelSpeed.Sizes.full(backend.capacity());
      KernelSpeed speed = new KernelSpeed(sizes);
      List<String> names = speed.names();
      line("count", String.valueOf(names.size()));
      for (String name : names.subList(from, names.size())) {
        Backend on = name.equals(KernelSpeed.OWN_PRODUCT) ? own : backend;
        if (!attempt(name, on, () -> tell(name, speed.run(name, on)))) {
          return false;
        }
      }
    }
    return true;
  }

  /** Where the libraries are that this process has loaded, if the system tells. */
  private void libraries() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    if (!Files.isReadable(maps)) {
      return;
    }
    Set<String> found = new TreeSet<>();
    for (String map : Files.readAllLines(maps)) {
      Matcher library = LIBRARY.matcher(map);
      if (library.find()) {
        found.add(library.group());
      }
    }
    for (String file : found) {
      String name = file.substring(file.lastIndexOf('/') + 1);
      // The report goes to others, whom the user's name does not concern.
      line("detail", name, file.replace(System.getProperty("user.home", ""), "~"));
    }
  }

  private void tell(String name, KernelSpeed.Figure f) {
    line(
        "timed",
        name,
        String.valueOf(f.micros()),
        String.valueOf(f.bytes()),
        String.valueOf(f.operations()));
  }
}
