package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.io.Checkpoint;
import dev.gradus.io.Notes;
import dev.gradus.io.SafeTensors;
import dev.gradus.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A training that goes on from its checkpoint ends where one does that was never interrupted. */
class ResumeTest {
  @TempDir Path folder;
  private Path checkpoint;

  @BeforeEach
  void name() {
    checkpoint = folder.resolve("run");
  }

  private static Run of(String command, String... more) {
    List<String> all = new ArrayList<>(List.of(command.split(" ")));
    all.addAll(List.of(more));
    Run run = Run.of(all.toArray(String[]::new));
    assertEquals(0, run.code(), run.err());
    return run;
  }

  private static List<String> epochs(Run run) {
    return run.out().lines().filter(line -> line.startsWith("epoch")).toList();
  }

  /** The checkpoint of the second of three epochs remains, as after a crash in the third. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "train names --no-progress --batch 4096 --cut-at 2,3 --seed 3 --epochs 3",
        "train names --no-progress --batch 4096 --schedule onecycle --lr 0.02 --seed 4 --epochs 3",
        "train names --no-progress --batch 4096 --schedule plateau --seed 4 --epochs 3",
        "train digits --batch 200 --lr 0.01 --seed 5 --epochs 3"
      })
  void theRestIsTheSame(String command) throws IOException {
    Path through = folder.resolve("through");
    Path resumed = folder.resolve("resumed");
    Run all =
        of(
            command,
            "--save",
            through.toString(),
            "--checkpoint",
            checkpoint.toString(),
            "--every",
            "2");
    assertEquals(2, Checkpoint.notes(checkpoint).step());
    String words = command.startsWith("train names") ? "train names --no-progress" : "train digits";
    Run rest = of(words, "--resume", checkpoint.toString(), "--save", resumed.toString());
    assertTrue(rest.out().contains("resumed from " + checkpoint + " after epoch 2\n"), rest.out());
    assertEquals(epochs(all).subList(2, 3), epochs(rest));
    assertEquals(-1, Files.mismatch(through, resumed));
  }

  @Test
  void theTransformerGoesOnInANewProcessForMoreEpochs() throws Exception {
    String file = checkpoint.toString();
    String[] more = {"train", "names", "--no-progress", "--resume", file, "--checkpoint", file};
    Path model = folder.resolve("model");
    of(
        "train names --no-progress --model gpt --schedule none --batch 2048 --epochs 1",
        "--checkpoint",
        file);
    Run two = Child.saving(model, folder.resolve("two"), 2, with(more, "--epochs", "2"));
    assertEquals(0, two.code(), two.err());
    assertEquals(2, Checkpoint.notes(checkpoint).step());
    of(
        "train names --no-progress --model gpt --schedule none --batch 2048 --epochs 2",
        "--save",
        model.toString());
    assertEquals(-1, Files.mismatch(model, folder.resolve("two")));
  }

  private static String[] with(String[] args, String... more) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private void refused(int code, String message, String... args) {
    Run run = Run.of(args);
    assertEquals(List.of("gradus: " + message), run.errors());
    assertEquals("", run.out());
    assertEquals(code, run.code());
  }

  @Test
  void whatWouldChangeTheRunIsRefused() {
    refused(
        2,
        "--lr: a resumed run keeps what it began with; leave it out; see 'gradus train names"
            + " --help'",
        "train",
        "names",
        "--resume",
        "x",
        "--lr",
        "1");
    refused(
        2,
        "--seed: a resumed run keeps what it began with; leave it out; see 'gradus train digits"
            + " --help'",
        "train",
        "digits",
        "--seed",
        "0",
        "--resume",
        "x");
    refused(
        2,
        "--every is how often --checkpoint writes; name a file with it; see 'gradus train names"
            + " --help'",
        "train",
        "names",
        "--every",
        "2");
    refused(
        2,
        "--every must be at least 1 but is 0; see 'gradus train digits --help'",
        "train",
        "digits",
        "--every",
        "0");
    refused(
        2,
        "--checkpoint: '"
            + folder
            + "' is a folder; name a file in it; see 'gradus train digits"
            + " --help'",
        "train",
        "digits",
        "--checkpoint",
        folder.toString());
  }

  @Test
  void aRunThatHasEndedSaysSoAndWritesItsModel() {
    String file = checkpoint.toString();
    String model = folder.resolve("model").toString();
    of("train names --no-progress --batch 4096 --epochs 1", "--checkpoint", file);
    Run run = of("train names --no-progress", "--resume", file, "--save", model);
    String last =
        "resumed from " + file + " after epoch 1, its last; --epochs N goes on to a later one\n";
    assertTrue(run.out().startsWith(last), run.out());
    assertEquals(List.of(), epochs(run));
    assertFalse(run.err().contains("names per second"), run.err());
    assertEquals(2, of("generate --count 2", model).out().lines().count());
    refused(
        1,
        "file '"
            + file
            + "' is a checkpoint of a training; 'gradus train names --resume "
            + file
            + " --save MODEL' writes its model",
        "generate",
        file);
  }

  @Test
  void fewerEpochsThanAreDoneAreRefused() {
    String file = checkpoint.toString();
    of("train digits --batch 500 --epochs 2", "--checkpoint", file);
    Run run = Run.of("train", "digits", "--resume", file, "--epochs", "1");
    assertEquals(
        List.of(
            "gradus: --epochs: '"
                + file
                + "' has 2 epochs already; ask for more than that; see 'gradus train digits"
                + " --help'"),
        run.errors());
    assertEquals(2, run.code());
  }

  @Test
  void aFileThatIsNoCheckpointOfTheTrainingIsRefused() throws IOException {
    String file = checkpoint.toString();
    new Checkpoint().save(checkpoint, new DigitsRun(1, 1, 1, 0).notes(1));
    refused(
        1,
        "--resume: '" + file + "' is a checkpoint of 'digits', not of names",
        "train",
        "names",
        "--resume",
        file);
    new Checkpoint().save(checkpoint, Notes.at(1).with("model", "names-lstm"));
    refused(
        1,
        "--resume: '" + file + "' is a checkpoint of 'names-lstm', not of digits",
        "train",
        "digits",
        "--resume",
        file);
    new Checkpoint().save(checkpoint, Notes.at(1).with("model", "digits"));
    refused(
        1,
        "--resume: the notes of '"
            + file
            + "' are not those of a run: notes: there is no number 'epochs'; there are []",
        "train",
        "digits",
        "--resume",
        file);
    new Checkpoint()
        .save(checkpoint, new DigitsRun(1, 1, 1, 0).notes(1).with("model", "names-mlp"));
    refused(
        1,
        "--resume: the notes of '"
            + file
            + "' are not those of a run: notes: there is no text 'cuts'; there are ['model',"
            + " 'seed']",
        "train",
        "names",
        "--resume",
        file);
    try (Device device = Device.open("cpu")) {
      SafeTensors.save(checkpoint, Map.of("w", device.zeros(1)));
    }
    Run run = Run.of("train", "digits", "--resume", file);
    assertTrue(
        run.err().startsWith("gradus: Checkpoint.load: " + file + " is no checkpoint: "),
        run.err());
  }
}
