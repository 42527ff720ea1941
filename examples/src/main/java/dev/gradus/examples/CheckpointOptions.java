package dev.gradus.examples;

import dev.gradus.io.Checkpoint;
import dev.gradus.io.Notes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that trains, to keep a training and to go on with it. */
final class CheckpointOptions {
  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description =
          "Keeps the training in this file, replaced as a whole each time; --resume goes on from"
              + " it.")
  private @Nullable Path file;

  @Option(
      names = "--every",
      paramLabel = "N",
      description = "Epochs from one checkpoint to the next; default: 1.")
  private @Nullable Integer every;

  @Option(
      names = "--resume",
      paramLabel = "FILE",
      description =
          "Goes on from a checkpoint as if the run had never ended, with its seed and options;"
              + " --epochs may be another. Keeps no more checkpoints unless --checkpoint names a"
              + " file, which may be the same.")
  private @Nullable Path resume;

  /**
   * Refuses what could not work, before time is spent on the training.
   *
   * @param kept the options that a resumed run takes from its checkpoint
   */
  void check(Context context, String... kept) {
    if (every != null) {
      context.atLeastOne("--every", every);
      if (file == null) {
        throw context.wrong("--every is how often --checkpoint writes; name a file with it");
      }
    }
    if (file != null) {
      context.writable("--checkpoint", file);
    }
    for (String option : kept) {
      if (resume != null && context.isGiven(option)) {
        throw context.wrong(option + ": a resumed run keeps what it began with; leave it out");
      }
    }
  }

  /** The file to go on from; null where the training begins. */
  @Nullable Path resume() {
    return resume;
  }

  /** Writes a checkpoint after an epoch, where one is due. */
  void save(Checkpoint checkpoint, Notes notes) throws IOException {
    if (file != null && notes.step() % (every == null ? 1 : every) == 0) {
      checkpoint.save(file, notes);
    }
  }

  /**
   * Goes on from the checkpoint where there is one.
   *
   * @param epochs of the whole run
   * @return the epochs that are done
   */
  int load(Context context, Checkpoint checkpoint, int epochs) throws IOException {
    if (resume == null) {
      return 0;
    }
    long done = checkpoint.load(resume).step();
    if (done > epochs) {
      throw context.wrong(
          "--epochs: '" + resume + "' has " + done + " epochs already; ask for more than that");
    }
    String end = done == epochs ? ", its last; --epochs N goes on to a later one" : "";
    context.out().println("resumed from " + resume + " after epoch " + done + end);
    return (int) done;
  }

  /** What the notes of a checkpoint say of its run. */
  static <T> T notesOfRun(Path file, Supplier<T> run) {
    try {
      return run.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "--resume: the notes of '" + file + "' are not those of a run: " + e.getMessage(), e);
    }
  }
}
