package dev.gradus.examples;

import dev.gradus.io.Notes;
import java.nio.file.Path;

/**
 * A training of digits as its command line asked for it: with the parts of a checkpoint enough to
 * go on.
 *
 * @param epochs the passes over the digits
 * @param batch the digits of a step
 * @param lr the learning rate
 * @param seed the run's seed
 */
record DigitsRun(int epochs, int batch, double lr, long seed) {
  private static final String MODEL = "model";
  private static final String DIGITS = "digits";
  private static final String SEED = "seed";

  /** What a checkpoint after an epoch says of the run. */
  Notes notes(int epoch) {
    return Notes.at(epoch)
        .with(MODEL, DIGITS)
        .with(SEED, Long.toString(seed))
        .with("epochs", epochs)
        .with("batch", batch)
        .with("lr", lr);
  }

  /**
   * The run that a checkpoint belongs to.
   *
   * @throws IllegalArgumentException if it is of another training
   */
  static DigitsRun of(Path file, Notes notes) {
    if (!notes.text(MODEL).equals(DIGITS)) {
      throw new IllegalArgumentException(
          "--resume: '"
              + file
              + "' is a checkpoint of '"
              + notes.text(MODEL)
              + "', not of "
              + DIGITS);
    }
    return CheckpointOptions.notesOfRun(
        file,
        () ->
            new DigitsRun(
                (int) notes.number("epochs"),
                (int) notes.number("batch"),
                notes.number("lr"),
                Long.parseLong(notes.text(SEED))));
  }
}
