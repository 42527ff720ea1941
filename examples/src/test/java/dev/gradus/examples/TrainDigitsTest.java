package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.io.SafeTensors;
import dev.gradus.tensor.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainDigitsTest {
  private static final Pattern ACCURACY = Pattern.compile("\naccuracy (\\d+\\.\\d\\d) %");

  @Test
  void theDefaultRunReadsMoreThan97PercentOfWhatItNeverSaw(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("digits.safetensors");
    Run run = Run.of("train", "digits", "--save", file.toString());
    assertEquals(0, run.code(), run.err());
    Matcher accuracy = ACCURACY.matcher(run.out());
    assertTrue(accuracy.find(), run.out());
    assertTrue(Double.parseDouble(accuracy.group(1)) >= 97.5, run.out());
    try (Device device = Device.open("cpu")) {
      assertEquals(
          List.of("hidden.bias", "hidden.weight", "scores.bias", "scores.weight"),
          SafeTensors.load(file, device).keySet().stream().sorted().toList());
    }
  }

  @Test
  void theTableHasARowForEachDigitAndCountsAllHeldOut() {
    Run run = Run.of("train", "digits", "--epochs", "1");
    List<String> lines = run.out().lines().toList();
    int head = lines.indexOf("is \\ read as   0   1   2   3   4   5   6   7   8   9");
    assertTrue(head > 0, run.out());
    int all = 0;
    for (int digit = 0; digit < 10; digit++) {
      String[] row = lines.get(head + 1 + digit).strip().split(" +");
      assertEquals(String.valueOf(digit), row[0]);
      for (int read = 1; read <= 10; read++) {
        all += Integer.parseInt(row[read]);
      }
    }
    assertEquals(359, all);
  }

  @Test
  void aProfileGoesToStandardErrorAndChangesNothing() {
    Run plain = Run.of("train", "digits", "--epochs", "4", "--seed", "9");
    Run profiled = Run.of("train", "digits", "--epochs", "4", "--seed", "9", "--profile");
    assertEquals(plain.out(), profiled.out());
    assertEquals("", plain.err());
    // 1,438 digits in 45 steps an epoch, of which 100 are left out
    assertTrue(profiled.err().startsWith("profile of 80 steps, each "), profiled.err());
    for (String line :
        new String[] {"forward +Addmm +2.0 ", "backward +Addmm +2.0 ", "update +AdamW +1.0 "}) {
      assertTrue(Pattern.compile(line).matcher(profiled.err()).find(), profiled.err());
    }
  }

  @Test
  void oneSeedGivesOneOutput() {
    String[] args = {"train", "digits", "--epochs", "2", "--seed", "9"};
    assertEquals(Run.of(args).out(), Run.of(args).out());
  }

  @Test
  void threadsChangeNeitherTheOutputNorTheModel(@TempDir Path folder) throws Exception {
    String[] args = {"train", "digits", "--epochs", "2", "--seed", "9"};
    Path file = folder.resolve("digits.safetensors");
    Run one = Child.saving(file, folder.resolve("one"), 1, args);
    assertEquals(0, one.code(), one.err());
    Run two = Child.saving(file, folder.resolve("two"), 2, args);
    assertEquals(0, two.code(), two.err());
    assertEquals(one.out(), two.out());
    assertEquals(-1, Files.mismatch(folder.resolve("one"), folder.resolve("two")));
  }
}
