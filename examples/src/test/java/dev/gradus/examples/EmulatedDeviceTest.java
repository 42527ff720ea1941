package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The program on the emulated CUDA device, through JCuda's own native code and the PTX of the jar,
 * beside the same run on the CPU.
 */
class EmulatedDeviceTest {
  /** Where the tests of backend-cuda, which come before these, have built it. */
  private static final Path EMULATOR =
      Path.of("").toAbsolutePath().resolveSibling("backend-cuda").resolve("target/emulator");

  private static final String LIBRARIES = "-Dgradus.cuda.lib=" + EMULATOR;

  /**
   * Losses are printed with four digits, whose last may be rounded otherwise. The emulated products
   * sum in the CPU's order, so that only exp, log and the like differ, by units in the last place
   * of a float32; in two epochs that grows to less than a digit.
   */
  private static final double PRINTED = 1.5e-4;

  private static final Pattern MODULES =
      Pattern.compile(
          "gradus-(core|backend-cuda)-\\d.*(?<!tests)\\.jar|j(cuda|cublas)-.*(?<!windows-x86_64)\\.jar");

  private static final Pattern LOSS = Pattern.compile("loss (\\d+\\.\\d{4})");

  @BeforeAll
  static void isBuilt() {
    if (!Files.exists(EMULATOR.resolve("built"))) {
      skip(
          "the program does not run on the emulated CUDA driver: the tests of backend-cuda have not"
              + " built it");
    }
  }

  private static void skip(String line) {
    System.out.println(line);
    Assumptions.abort(line);
  }

  private static Run run(String[] args, String... options) throws Exception {
    Run run = Child.of(List.of(options), Main.class, args);
    assertEquals(0, run.code(), run.err());
    return run;
  }

  private static List<Double> losses(Run run) {
    List<Double> all = new ArrayList<>();
    LOSS.matcher(run.out()).results().forEach(m -> all.add(Double.parseDouble(m.group(1))));
    return all;
  }

  /** Runs a training of two epochs on both: each loss has to be the CPU's as printed. */
  private static void trainsAlike(int losses, String... args) throws Exception {
    Run device = run(args, LIBRARIES, "-Dgradus.backend=cuda");
    List<Double> expected = losses(run(args, "-Dgradus.backend=cpu"));
    List<Double> actual = losses(device);
    assertEquals(losses, expected.size());
    assertEquals(losses, actual.size());
    for (int i = 0; i < losses; i++) {
      assertEquals(expected.get(i), actual.get(i), PRINTED, device.out());
    }
    assertTrue(actual.get(losses - 1) < actual.get(0), device.out());
  }

  @Test
  void theReportNamesTheEmulatedDeviceWhichIsTakenUnasked() throws Exception {
    Run run = run(new String[] {"doctor"}, LIBRARIES);
    assertTrue(run.out().startsWith("backend: cuda "), run.out());
    assertTrue(run.out().contains("\n  cuda:0: Emulated GPU"), run.out());
  }

  /** The program stays on the class path, its libraries are modules. */
  @Test
  void theDeviceIsFoundFromTheModulePathToo() throws Exception {
    StringJoiner modules = new StringJoiner(File.pathSeparator);
    for (String jar : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      String name = Path.of(jar).getFileName().toString();
      if (MODULES.matcher(name).matches()) {
        modules.add(jar);
      }
    }
    if (!modules.toString().contains("gradus-backend-cuda")) {
      skip("the module path is not tried: Maven has made no jars; 'mvn package' makes them");
    }
    Run run =
        run(
            new String[] {"train", "digits", "--epochs", "1"},
            LIBRARIES,
            "-Dgradus.backend=cuda",
            "--module-path",
            modules.toString(),
            "--add-modules",
            "ALL-MODULE-PATH");
    assertEquals(1, losses(run).size(), run.out());
  }

  @Test
  void digitsAreLearntAsOnTheCpu() throws Exception {
    trainsAlike(2, "train", "digits", "--epochs", "2");
  }

  @Test
  void namesAreLearntAsOnTheCpu() throws Exception {
    trainsAlike(4, "train", "names", "--epochs", "2", "--no-progress");
  }

  @Test
  @Tag("long")
  void namesAreLearntByTheTransformerAsOnTheCpu() throws Exception {
    trainsAlike(4, "train", "names", "--model", "gpt", "--epochs", "2", "--no-progress");
  }
}
