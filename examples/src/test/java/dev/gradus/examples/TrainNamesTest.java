package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainNamesTest {
  private static final Pattern VALIDATION = Pattern.compile("validation loss (\\d\\.\\d{4})");

  private static double lastValidation(Run run) {
    Matcher m = VALIDATION.matcher(run.out());
    double last = Double.NaN;
    while (m.find()) {
      last = Double.parseDouble(m.group(1));
    }
    return last;
  }

  private static List<String> lastTen(Run run) {
    List<String> lines = run.out().lines().toList();
    return lines.subList(lines.size() - 10, lines.size());
  }

  @Test
  void oneSeedGivesOneOutputAndOneModelWithAnyNumberOfThreads(@TempDir Path folder)
      throws Exception {
    String[] args = {"train", "names", "--epochs", "1", "--seed", "5"};
    Run two = assertThreadsDoNotMatter(folder, args);
    assertFalse(two.err().contains("\r"), "a bar without a terminal");
    assertTrue(two.err().contains(" names per second"), two.err());
  }

  /** Trains with one and with two threads and returns the latter run. */
  private static Run assertThreadsDoNotMatter(Path folder, String... args) throws Exception {
    Path file = folder.resolve("names.safetensors");
    Run one = Child.saving(file, folder.resolve("one"), 1, args);
    assertEquals(0, one.code(), one.err());
    Run two = Child.saving(file, folder.resolve("two"), 2, args);
    assertEquals(0, two.code(), two.err());
    assertEquals(one.out(), two.out());
    assertEquals(-1, Files.mismatch(folder.resolve("one"), folder.resolve("two")));
    return two;
  }

  @Test
  void aProfileGoesToStandardErrorAndChangesNothing() {
    String[] args = {"train", "names", "--epochs", "2", "--batch", "512", "--no-progress"};
    Run plain = Run.of(args);
    Run profiled =
        Run.of(Stream.concat(Stream.of(args), Stream.of("--profile")).toArray(String[]::new));
    assertEquals(plain.out(), profiled.out());
    assertFalse(plain.err().contains("profile"), plain.err());
    assertTrue(
        Pattern.compile("profile of \\d+ steps(?s:.*)forward +Embedding +1.0 ")
            .matcher(profiled.err())
            .find(),
        profiled.err());
  }

  @Test
  void aSavedModelWritesTheSameNames(@TempDir Path folder) {
    String file = folder.resolve("names.safetensors").toString();
    Run train = Run.of("train", "names", "--epochs", "1", "--no-progress", "--save", file);
    assertEquals(0, train.code(), train.err());
    assertTrue(train.out().contains("\nsaved as " + file), train.out());

    Run again = Run.of("generate", file);
    assertEquals(0, again.code(), again.err());
    assertEquals(lastTen(train), again.out().lines().toList());

    Run other = Run.of("generate", file, "--seed", "1", "--count", "3", "--temperature", "0.8");
    assertEquals(3, other.out().lines().count());
    assertNotEquals(lastTen(train).subList(0, 3), other.out().lines().toList());
  }

  @Test
  void ratesAreCutAtTheChosenEpochs() {
    Run run =
        Run.of(
            "train",
            "names",
            "--epochs",
            "3",
            "--batch",
            "8192",
            "--lr",
            "0.008",
            "--embedding-lr",
            "0.004",
            "--cut-at",
            "2,3",
            "--cut-to",
            "0.5",
            "--no-progress");
    assertEquals(
        List.of(
            "lr embedding 0.004, rest 0.008",
            "lr embedding 0.002, rest 0.004",
            "lr embedding 0.001, rest 0.002"),
        rates(run));
  }

  @Test
  void aSearchForARatePrintsLossesAndTrainsNothing(@TempDir Path folder) {
    Path file = folder.resolve("names.safetensors");
    Run run = Run.of("train", "names", "--find-rate", "--save", file.toString());
    assertEquals(0, run.code(), run.err());
    List<String> lines = run.out().lines().toList();
    int head = lines.indexOf("step       rate        loss    smoothed");
    assertTrue(lines.get(head + 1).startsWith("   0   1.00e-05"), run.out());
    assertEquals(1, lines.stream().filter(line -> line.endsWith("  steepest")).count());
    assertTrue(lines.get(lines.size() - 1).startsWith("  99       1.00 "), run.out());
    assertFalse(run.out().contains("epoch"), run.out());
    assertFalse(Files.exists(file));
  }

  private static List<String> rates(Run run) {
    return run.out()
        .lines()
        .filter(line -> line.startsWith("epoch"))
        .map(line -> line.substring(line.indexOf("lr ")))
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          linear   | embedding 0.01, rest 0.005 | embedding 0.005, rest 0.0025
          cosine   | embedding 0.01, rest 0.005 | embedding 0.005, rest 0.0025
          plateau  | embedding 0.01, rest 0.005 | embedding 0.01, rest 0.005
          onecycle | embedding 0.00812, rest 0.00406 | embedding 0.00000004, rest 0.00000002
          """)
  void ratesFollowTheChosenSchedule(String schedule, String first, String second) {
    Run run =
        Run.of(
            "train",
            "names",
            "--epochs",
            "2",
            "--batch",
            "8192",
            "--schedule",
            schedule,
            "--no-progress");
    assertEquals(List.of("lr " + first, "lr " + second), rates(run), run.err());
  }

  @Test
  @Tag("long")
  void theDefaultRunEndsBelowTwoPointZeroFive() {
    Run run = Run.of("train", "names", "--no-progress");
    assertEquals(0, run.code(), run.err());
    assertEquals(12, VALIDATION.matcher(run.out()).results().count());
    assertTrue(lastValidation(run) <= 2.05, run.out());
    assertTrue(lastTen(run).stream().allMatch(name -> name.matches("[A-Z][a-z]+")), run.out());
  }

  @Test
  @Tag("long")
  void theTransformerEndsLower() {
    Run mlp = Run.of("train", "names", "--no-progress");
    Run gpt = Run.of("train", "names", "--model", "gpt", "--no-progress");
    assertEquals(0, gpt.code(), gpt.err());
    assertTrue(lastValidation(gpt) < lastValidation(mlp) - 0.02, gpt.out());
    assertTrue(gpt.err().startsWith("took "), gpt.err());
  }

  @Test
  @Tag("long")
  void theTransformerTooIsTheSameWithAnyNumberOfThreads(@TempDir Path folder) throws Exception {
    assertThreadsDoNotMatter(
        folder, "train", "names", "--model", "gpt", "--epochs", "1", "--no-progress");
  }
}
