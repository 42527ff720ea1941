package dev.gradus.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gradus.examples.gpu.CheckPart;
import dev.gradus.examples.gpu.CheckReport;
import dev.gradus.examples.gpu.DeviceProcess;
import dev.gradus.examples.gpu.Machine;
import dev.gradus.examples.gpu.TestRun;
import dev.gradus.spi.BackendReport;
import dev.gradus.spi.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gradus gpu-check}: what the CUDA backend does on this machine's GPU. */
@Command(
    name = "gpu-check",
    description = {
      "Checks the CUDA backend on this machine's GPU: its tests, its kernels' values against"
          + " recorded ones, its speed.",
      "Writes gpu-check.json and gpu-check.md; docs/gpu.md says what is in them."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:nothing failed",
      "1:something failed; the files say what",
      "2:there is no GPU that can be used; no file was written"
    })
final class GpuCheck implements Callable<Integer> {
  private static final String BACKEND = "cuda";

  @Mixin private Context context = new Context();

  @Option(
      names = "--quick",
      description = "Few tests and small sizes, to see in a minute whether all of it works.")
  private boolean quick;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where the files go; default: the current folder.")
  private Path folder = Path.of("");

  @Override
  public Integer call() throws IOException {
    requireFolder();
    BackendReport backends = Backends.report();
    if (!Doctor.works(backends, BACKEND)) {
      context.err().println("gradus: gpu-check: " + Doctor.reason(backends, BACKEND));
      return ExitCode.USAGE;
    }
    Path project = Path.of(System.getProperty("gradus.project", "")).toAbsolutePath();
    Map<String, String> machine = Machine.describe(project);
    CheckReport report =
        new CheckReport(quick, machine, new ObjectMapper().readTree(Doctor.toJson(backends)));
    add(report, "kernels", () -> DeviceProcess.run("kernels", quick, machine));
    add(report, "speed", () -> DeviceProcess.run("speed", quick, machine));
    add(report, "tests", () -> TestRun.run(project, quick));
    String files = String.join(" and ", CheckReport.FILES);
    context.out().println(files + " are in " + folder.toAbsolutePath().normalize());
    return report.failed() ? ExitCode.SOFTWARE : ExitCode.OK;
  }

  /** The check takes long: that its files cannot be written is to be told before. */
  private void requireFolder() {
    Path at = folder.toAbsolutePath();
    if (!Files.isDirectory(at)) {
      throw context.wrong("--out: there is no folder '" + folder + "'; make it first");
    }
    try {
      Files.delete(Files.createTempFile(at, ".gpu-check", ".tmp"));
    } catch (IOException e) {
      throw context.wrong(
          "--out: no file can be written into the folder '" + folder + "'; name another one");
    }
  }

  /** Does a part, and writes the files anew: who ends the check early has what was found. */
  private void add(CheckReport report, String name, Supplier<CheckPart> part) throws IOException {
    context.err().println("gpu-check: " + name + " ...");
    CheckPart done = part.get();
    report.add(done);
    report.write(folder.toAbsolutePath());
    context.err().println("gpu-check: " + name + ": " + done);
  }
}
