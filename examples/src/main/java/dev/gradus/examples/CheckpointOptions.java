package dev.gradus.examples;

import dev.gradus.io.Checkpoint;
import dev.gradus.io.Notes;
import java.io.IOException;
import java.nio.file.Path;
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
              + " --epochs may be another.")
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

  /** Goes on from the checkpoint where there is one; the epochs that are done. */
  int load(Context context, Checkpoint checkpoint) throws IOException {
    if (resume == null) {
      return 0;
    }
    int epochs = (int) checkpoint.load(resume).step();
    context.out().println("resumed from " + resume + " after epoch " + epochs);
    return epochs;
  }
}
