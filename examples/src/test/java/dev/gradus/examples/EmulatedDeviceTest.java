package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The program on the emulated CUDA device, through JCuda's own native code and the PTX of the jar,
 * beside the same run on the CPU.
 */
class EmulatedDeviceTest {
  /** Where the tests of backend-cuda, which come before these, have built it. */
  private static final Path EMULATOR =
      Path.of("").toAbsolutePath().resolveSibling("backend-cuda").resolve("target/emulator");

  private static final Pattern LOSS = Pattern.compile("loss (\\d+\\.\\d{4})");

  @BeforeAll
  static void isBuilt() {
    if (!Files.exists(EMULATOR.resolve("built"))) {
      String line =
          "the program does not run on the emulated CUDA driver: the tests of backend-cuda have not"
              + " built it";
      System.out.println(line);
      Assumptions.abort(line);
    }
  }

  private static Run onDevice(String... args) throws Exception {
    return succeeded(Child.of(List.of("-Dgradus.cuda.lib=" + EMULATOR), Main.class, args));
  }

  private static Run onCpu(String... args) throws Exception {
    return succeeded(Child.of(List.of("-Dgradus.backend=cpu"), Main.class, args));
  }

  private static Run succeeded(Run run) {
    assertEquals(0, run.code(), run.err());
    return run;
  }

  private static List<Double> losses(Run run) {
    List<Double> all = new ArrayList<>();
    LOSS.matcher(run.out()).results().forEach(m -> all.add(Double.parseDouble(m.group(1))));
    return all;
  }

  /** Runs a training on both, and the losses of all epochs must lie so near. */
  private static void trainsAlike(int losses, double nearness, String... args) throws Exception {
    Run device = onDevice(args);
    List<Double> expected = losses(onCpu(args));
    List<Double> actual = losses(device);
    assertEquals(losses, expected.size());
    assertEquals(losses, actual.size());
    for (int i = 0; i < losses; i++) {
      assertEquals(expected.get(i), actual.get(i), nearness, device.out());
    }
    assertTrue(actual.get(losses - 1) < actual.get(0), device.out());
  }

  @Test
  void theReportNamesTheEmulatedDeviceAndItIsTaken() throws Exception {
    Run run = onDevice("doctor");
    assertTrue(run.out().startsWith("backend: cuda "), run.out());
    assertTrue(run.out().contains("\n  cuda:0: Emulated GPU"), run.out());
  }

  @Test
  void digitsAreLearntAsOnTheCpu() throws Exception {
    trainsAlike(2, 2e-4, "train", "digits", "--epochs", "2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mlp", "gpt"})
  @Tag("long")
  void namesAreLearntAsOnTheCpu(String model) throws Exception {
    trainsAlike(4, 1e-3, "train", "names", "--model", model, "--epochs", "2", "--no-progress");
  }
}
