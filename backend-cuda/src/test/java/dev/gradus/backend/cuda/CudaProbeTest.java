package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.backend.cuda.emulator.Emulator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the probe says in a process of its own, for each way in which CUDA cannot be used. */
class CudaProbeTest {
  private static final int TOGETHER = 8;

  @TempDir private Path home;

  /** Starts a process; its modes are those of the emulated driver. */
  private Process start(Path libraries, Map<String, String> environment, String... args)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xshare:auto");
    command.add("-XX:TieredStopAtLevel=1");
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED"); // without it Java warns, among the lines
    }
    command.add("-Dgradus.cuda.lib=" + libraries);
    command.add("-Duser.home=" + home);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ProbeProgram.class.getName());
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("XDG_CACHE_HOME");
    builder.environment().remove("CUDA_VISIBLE_DEVICES");
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static Map<String, String> lines(Process process) throws Exception {
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    Map<String, String> lines = new HashMap<>();
    for (String line : said.lines().toList()) {
      int colon = line.indexOf(": ");
      lines.put(colon < 0 ? line : line.substring(0, colon), line.substring(colon + 2));
    }
    return lines;
  }

  private Map<String, String> probe(String modes, String... args) throws Exception {
    return lines(start(Emulator.build(), Map.of("GRADUS_EMULATOR", modes), args));
  }

  private static void unusable(
      Map<String, String> lines, String status, String reason, String remedy) {
    assertEquals(reason, lines.get("reason"));
    assertEquals(remedy, lines.get("remedy"));
    assertEquals(status, lines.get("status"));
    assertEquals("[]", lines.get("devices"));
  }

  @Test
  void aDeviceIsFoundAndComputes() throws Exception {
    Map<String, String> lines = probe("", "0");
    assertEquals("USABLE", lines.get("status"), lines.toString());
    assertEquals("[cuda:0]", lines.get("devices"));
    assertEquals("CUDA 12.0", lines.get("driver"));
    assertEquals("cuBLAS", lines.get("matrix products"));
    assertEquals("true float32", lines.get("precision"));
    assertEquals("in a fixed order", lines.get("sums of rows by ids"));
    assertTrue(lines.get("cuda:0").endsWith(", compute 8.0"), lines.toString());
    assertEquals("1.0 4.0 9.0 on cuda:0", lines.get("computed"));
    assertTrue(lines.get("product").startsWith("98.0 by cuBLAS "), lines.toString());
  }

  @Test
  void whatChangesResultsIsReported() throws Exception {
    Map<String, String> lines = withOptions("-Dgradus.cuda.tf32=on -Dgradus.cuda.atomics=on");
    assertEquals("products of float32 round to TF32", lines.get("precision"));
    assertEquals(
        "by atomic operations: bits may differ from run to run", lines.get("sums of rows by ids"));
    lines = withOptions("-Dgradus.cuda.tf32=yes");
    assertEquals("USABLE", lines.get("status"));
    assertEquals("gradus.cuda.tf32 must be on or off but is 'yes'", lines.get("settings"));
  }

  private Map<String, String> withOptions(String options) throws Exception {
    return lines(start(Emulator.build(), Map.of("JDK_JAVA_OPTIONS", options)));
  }

  @Test
  void eachOfSeveralDevicesCanBeOpened() throws Exception {
    Map<String, String> lines = probe("devices=2", "1");
    assertEquals("[cuda:0, cuda:1]", lines.get("devices"));
    assertEquals("1.0 4.0 9.0 on cuda:1", lines.get("computed"));
  }

  @Test
  void noDevice() throws Exception {
    String remedy = "look whether nvidia-smi lists one, and CUDA_VISIBLE_DEVICES does not hide it";
    unusable(probe("devices=0"), "ABSENT", "the NVIDIA driver finds no device", remedy);
    Map<String, String> hidden =
        Map.of("GRADUS_EMULATOR", "devices=0", "CUDA_VISIBLE_DEVICES", "7");
    unusable(
        lines(start(Emulator.build(), hidden)),
        "ABSENT",
        "the NVIDIA driver finds no device, CUDA_VISIBLE_DEVICES being '7'",
        remedy);
  }

  @Test
  void anOldDriver() throws Exception {
    unusable(
        probe("driver=11080"),
        "BROKEN",
        "the NVIDIA driver is too old: it has CUDA 11.8, needed is 12.0",
        "install an NVIDIA driver >= 525");
  }

  @Test
  void aDriverThatDoesNotStart() throws Exception {
    unusable(
        probe("fail-name=cuInit,fail-call=1,fail-code=999"),
        "BROKEN",
        "cuInit failed: unknown error (999)",
        "look whether nvidia-smi works, and the driver fits the kernel that runs");
  }

  @Test
  void anOldDevice() throws Exception {
    Map<String, String> lines = probe("capability=70");
    assertTrue(lines.get("reason").startsWith("the device is too old: "), lines.toString());
    assertTrue(lines.get("reason").endsWith(", compute 7.0, needed is 7.5"), lines.toString());
    assertEquals(
        "use a device of the Turing generation or later, or the CPU: -Dgradus.backend=cpu",
        lines.get("remedy"));
    assertEquals("ABSENT", lines.get("status"));
  }

  @Test
  void aDriverThatTakesOnlyOldPtxGetsIt() throws Exception {
    assertEquals("1.0 4.0 9.0 on cuda:0", probe("ptx=63", "0").get("computed"));
  }

  @Test
  void aDriverThatRefusesThePtx() throws Exception {
    Map<String, String> lines = probe("ptx=62");
    assertTrue(
        lines.get("reason").startsWith("the driver refuses the PTX of the kernels on cuda:0: "),
        lines.toString());
    assertTrue(lines.get("reason").endsWith(" (222)"), lines.toString());
    assertEquals("install a newer NVIDIA driver", lines.get("remedy"));
    assertEquals("BROKEN", lines.get("status"));
  }

  @Test
  void aDriverWithoutAKernelImage() throws Exception {
    Map<String, String> lines = probe("fail-name=cuModuleLoadDataEx,fail-call=1,fail-code=209");
    assertEquals(
        "the driver makes no kernel image for cuda:0: no kernel image is available for execution on"
            + " the device (209)",
        lines.get("reason"));
    assertEquals(
        "install a driver that knows the device, or choose another with CUDA_VISIBLE_DEVICES",
        lines.get("remedy"));
    assertEquals("BROKEN", lines.get("status"));
  }

  private Path driverAlone() throws IOException {
    Path folder = Files.createDirectory(home.resolve("driver"));
    Files.copy(Emulator.build().resolve(Emulator.DRIVER), folder.resolve(Emulator.DRIVER));
    return folder;
  }

  @Test
  void withoutCuBlasAnOwnKernelServes() throws Exception {
    Map<String, String> lines = lines(start(driverAlone(), Map.of(), "0"));
    assertEquals("USABLE", lines.get("status"));
    assertEquals(
        "a kernel of Gradus, slower than cuBLAS: no cuBLAS 12: libcublas.so.12 was not found ("
            + NativeLoader.CUBLAS_REMEDY
            + ")",
        lines.get("matrix products"));
    assertEquals("1.0 4.0 9.0 on cuda:0", lines.get("computed"));
    assertTrue(lines.get("product").startsWith("98.0 by a kernel of Gradus, "), lines.toString());
  }

  @Test
  void withCuBlas13AloneTheForwarderIsTold() throws Exception {
    Path folder = driverAlone();
    Files.createFile(folder.resolve("libcublas.so.13"));
    assertEquals(
        "a kernel of Gradus, slower than cuBLAS: only cuBLAS 13 was found, JCuda needs 12: no"
            + " libcublas.so.12 ("
            + NativeLoader.CUBLAS_REMEDY
            + "; docs/gpu.md has the forwarder to cuBLAS 13)",
        lines(start(folder, Map.of())).get("matrix products"));
  }

  @Test
  void theForwarderMakesCuBlas13Serve() throws Exception {
    Path folder = driverAlone();
    Files.copy(Emulator.build().resolve("libcublas.so.12"), folder.resolve("libcublas.so.13"));
    String command =
        Files.readAllLines(Path.of("../docs/gpu.md")).stream()
            .dropWhile(l -> !l.startsWith("gcc "))
            .takeWhile(l -> !l.startsWith("```"))
            .collect(Collectors.joining("\n"))
            .replace("-o libcublas.so.12", "-o '" + folder.resolve("libcublas.so.12") + "'");
    Process gcc =
        new ProcessBuilder("sh", "-c", command)
            .directory(Path.of("..").toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, gcc.waitFor(), said);
    Map<String, String> lines = lines(start(folder, Map.of(), "0"));
    assertEquals("cuBLAS", lines.get("matrix products"));
    assertTrue(lines.get("product").startsWith("98.0 by cuBLAS "), lines.toString());
  }

  @RepeatedTest(3)
  void eightProcessesStartTogether() throws Exception {
    startTogether();
  }

  @RepeatedTest(20)
  @Tag("long")
  void eightProcessesStartTogetherManyTimes() throws Exception {
    startTogether();
  }

  private void startTogether() throws Exception {
    List<Process> all = new ArrayList<>();
    for (int i = 0; i < TOGETHER; i++) {
      all.add(start(Emulator.build(), Map.of(), "0"));
    }
    for (Process process : all) {
      assertEquals("1.0 4.0 9.0 on cuda:0", lines(process).get("computed"));
    }
  }
}
