package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private static void assertRefused(int code, String message, Run run) {
    assertEquals(List.of("gradus: " + message), run.errors());
    assertEquals("", run.out());
    assertEquals(code, run.code());
  }

  @Test
  void aloneItPrintsItsCommands() {
    Run run = Run.of();
    assertEquals(0, run.code());
    assertEquals("", run.err());
    for (String command : List.of("tour", "train", "generate", "doctor", "parity")) {
      assertTrue(run.out().contains("\n  " + command + " "), run.out());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "tour",
        "train",
        "train names",
        "train digits",
        "generate",
        "doctor",
        "parity"
      })
  void everyCommandHasHelp(String command) {
    Run run = Run.of((command + " --help").strip().split(" "));
    assertEquals(0, run.code());
    assertEquals("", run.err());
    assertTrue(run.out().startsWith("Usage: " + ("gradus " + command).strip() + " "), run.out());
    assertTrue(run.out().contains("--stacktrace"), run.out());
    assertTrue(run.out().endsWith("\n"), run.out());
  }

  @Test
  void trainAlonePrintsItsModelsAndIsAWrongCommandLine() {
    Run run = Run.of("train");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("\n  names "), run.err());
    assertTrue(run.err().contains("\n  digits "), run.err());
  }

  @Test
  void helpOfTrainNamesHasTheSettingsOfBothModels() {
    String help = Run.of("train", "names", "--help").out().replaceAll("\\s+", " ");
    for (NamesKind kind : NamesKind.values()) {
      assertTrue(help.contains("--model " + kind + " " + kind.settings()), help);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          tou | Unmatched argument at index 0: 'tou'; did you mean 'tour' or 'doctor'; see 'gradus --help'
          tour --sed 1 | Unknown options: '--sed', '1'; did you mean '--seed'; see 'gradus tour --help'
          tour --seed x | Invalid value for option '--seed': 'x' is not a long; see 'gradus tour --help'
          generate | Missing required parameter: 'FILE'; see 'gradus generate --help'
          train names --model lstm | Invalid value for option '--model': expected one of [MLP, GPT] (case-insensitive) but was 'lstm'; see 'gradus train names --help'
          train names --epochs 0 | --epochs must be at least 1 but is 0; see 'gradus train names --help'
          train names --batch 0 | --batch must be at least 1 but is 0; see 'gradus train names --help'
          train names --lr -1 | --lr must be > 0 and finite but is -1.0; see 'gradus train names --help'
          train names --lr NaN | --lr must be > 0 and finite but is NaN; see 'gradus train names --help'
          train names --embedding-lr 0 | --embedding-lr must be > 0 and finite but is 0.0; see 'gradus train names --help'
          train names --weight-decay -1 | --weight-decay must be >= 0 and finite but is -1.0; see 'gradus train names --help'
          train names --cut-to 0 | --cut-to must be > 0 and finite but is 0.0; see 'gradus train names --help'
          train names --cut-at 3,0 | --cut-at must be at least 1 but is 0; see 'gradus train names --help'
          train names --cut-at 3 --schedule onecycle | --cut-at cannot be used with --schedule onecycle; see 'gradus train names --help'
          train names --schedule steep | Invalid value for option '--schedule': expected one of [NONE, LINEAR, COSINE, ONECYCLE, PLATEAU] (case-insensitive) but was 'steep'; see 'gradus train names --help'
          train digits --epochs 0 | --epochs must be at least 1 but is 0; see 'gradus train digits --help'
          train digits --batch -3 | --batch must be at least 1 but is -3; see 'gradus train digits --help'
          train digits --lr Infinity | --lr must be > 0 and finite but is Infinity; see 'gradus train digits --help'
          generate x --count 0 | --count must be at least 1 but is 0; see 'gradus generate --help'
          generate x --temperature 0 | --temperature must be > 0 and finite but is 0.0; see 'gradus generate --help'
          """)
  void aWrongCommandLineIsOneLineAndTwo(String args, String message) {
    assertRefused(2, message, Run.of(args.split(" ")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tour", "train names", "train digits"})
  void anUnknownBackendNamesThoseThatAreThere(String command) {
    Run run = Run.of((command + " --backend abacus").split(" "));
    assertEquals(1, run.code());
    assertEquals(1, run.errors().size(), run.err());
    assertTrue(
        run.err().startsWith("gradus: backend 'abacus' (from the argument) was not found; there"),
        run.err());
  }

  @Test
  void saveIsRefusedBeforeTheTraining(@TempDir Path folder) {
    Path file = folder.resolve("none").resolve("m.safetensors");
    assertRefused(
        2,
        "--save: '"
            + file
            + "' is in a folder that does not exist; make '"
            + file.getParent()
            + "' first; see 'gradus train names --help'",
        Run.of("train", "names", "--save", file.toString()));
    assertRefused(
        2,
        "--save: '" + folder + "' is a folder; name a file in it; see 'gradus train digits --help'",
        Run.of("train", "digits", "--save", folder.toString()));
  }

  @Test
  void aMissingFileIsNamed(@TempDir Path folder) {
    Path file = folder.resolve("none.safetensors");
    assertRefused(
        1,
        file + ": SafeTensors.open: there is no such file; check the path",
        Run.of("generate", file.toString()));
  }

  @Test
  void aMalformedFileIsNamedWithoutAStackTrace(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("text.safetensors"), "no tensors in here");
    Run run = Run.of("generate", file.toString());
    assertEquals(1, run.code());
    assertEquals(1, run.errors().size(), run.err());
    assertTrue(run.err().startsWith("gradus: "), run.err());
    assertTrue(run.err().contains(file.toString()), run.err());
  }

  @Test
  void stackTraceIsPrintedWhereAskedFor(@TempDir Path folder) {
    String file = folder.resolve("none.safetensors").toString();
    assertFalse(Run.of("generate", file).err().contains("\tat "));
    Run run = Run.of("--stacktrace", "generate", file);
    assertEquals(1, run.code());
    assertTrue(run.err().contains("\tat dev.gradus."), run.err());
    assertTrue(Run.of("generate", file, "--stacktrace").err().contains("\tat dev.gradus."));
  }
}
