package dev.gradus.examples;

import dev.gradus.tensor.Device;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The models of names that there are, each with its sizes and the settings that suit it. */
enum NamesKind {
  /** {@link NamesMlp}. */
  MLP {
    @Override
    NamesModel create(Device device, NamesSizes sizes) {
      return new NamesMlp(device, sizes);
    }

    @Override
    NamesSizes sizes() {
      return new NamesSizes(Map.of("context", 8, "embedding", 24, "hidden", 128));
    }

    @Override
    NamesSettings settings() {
      return new NamesSettings(12, 256, 0.005, 0.01, 0.01, RateSchedule.NONE, List.of(7, 11), 0.1);
    }
  },

  /** {@link NamesGpt}. */
  GPT {
    @Override
    NamesModel create(Device device, NamesSizes sizes) {
      return new NamesGpt(device, sizes);
    }

    @Override
    NamesSizes sizes() {
      return new NamesSizes(Map.of("context", 14, "dim", 64, "heads", 4, "blocks", 2));
    }

    @Override
    NamesSettings settings() {
      return new NamesSettings(16, 64, 0.004, 0.004, 0.05, RateSchedule.COSINE, List.of(), 0.1);
    }
  };

  /** A model of these sizes with initial values. */
  abstract NamesModel create(Device device, NamesSizes sizes);

  /** The sizes of a new model, by name. */
  abstract NamesSizes sizes();

  /** How it is trained unless options say otherwise. */
  abstract NamesSettings settings();

  /** Its name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
