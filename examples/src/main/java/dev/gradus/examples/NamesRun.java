package dev.gradus.examples;

import dev.gradus.io.Notes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A training of names as its command line asked for it: with the parts of a checkpoint enough to go
 * on.
 *
 * @param kind the model
 * @param settings how it is trained
 * @param seed the run's seed
 */
record NamesRun(NamesKind kind, NamesSettings settings, long seed) {
  private static final String MODEL = "model";
  private static final String NAMES = "names-";
  private static final String SEED = "seed";
  private static final String SCHEDULE = "schedule";
  private static final String CUTS = "cuts";

  /** What a checkpoint after an epoch says of the run. */
  Notes notes(int epoch) {
    String cuts = settings.cuts().stream().map(String::valueOf).collect(Collectors.joining(","));
    return Notes.at(epoch)
        .with(MODEL, NAMES + kind)
        .with(SEED, Long.toString(seed))
        .with("epochs", settings.epochs())
        .with("batch", settings.batch())
        .with("lr", settings.lr())
        .with("embedding_lr", settings.embeddingLr())
        .with("weight_decay", settings.weightDecay())
        .with(SCHEDULE, settings.schedule().toString())
        .with(CUTS, cuts)
        .with("cut_to", settings.cutTo());
  }

  /**
   * The run that a checkpoint belongs to.
   *
   * @throws IllegalArgumentException if it is of another training
   */
  static NamesRun of(Path file, Notes notes) {
    String model = notes.text(MODEL);
    for (NamesKind kind : NamesKind.values()) {
      if (model.equals(NAMES + kind)) {
        return CheckpointOptions.notesOfRun(
            file, () -> new NamesRun(kind, settings(notes), Long.parseLong(notes.text(SEED))));
      }
    }
    throw new IllegalArgumentException(
        "--resume: '" + file + "' is a checkpoint of '" + model + "', not of names");
  }

  private static NamesSettings settings(Notes notes) {
    List<Integer> cuts = new ArrayList<>();
    for (String epoch : notes.text(CUTS).split(",", -1)) {
      if (!epoch.isEmpty()) {
        cuts.add(Integer.valueOf(epoch));
      }
    }
    return new NamesSettings(
        (int) notes.number("epochs"),
        (int) notes.number("batch"),
        notes.number("lr"),
        notes.number("embedding_lr"),
        notes.number("weight_decay"),
        RateSchedule.valueOf(notes.text(SCHEDULE).toUpperCase(Locale.ROOT)),
        cuts,
        notes.number("cut_to"));
  }
}
