package dev.gradus.examples;

import dev.gradus.tensor.Device;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The models of names that there are, each with its sizes and the settings that suit it. */
enum NamesKind {
  /** {@link NamesMlp}. */
  MLP(
      Map.of("context", 8, "embedding", 24, "hidden", 128),
      new NamesSettings(12, 256, 0.005, 0.01, 0.05, List.of(7, 11))) {
    @Override
    NamesModel create(Device device, Map<String, Integer> sizes) {
      return new NamesMlp(device, sizes);
    }
  },

  /** {@link NamesGpt}. */
  GPT(
      Map.of("context", 14, "dim", 64, "heads", 4, "blocks", 2),
      new NamesSettings(16, 64, 0.003, 0.003, 0.1, List.of(9, 14))) {
    @Override
    NamesModel create(Device device, Map<String, Integer> sizes) {
      return new NamesGpt(device, sizes);
    }
  };

  private final Map<String, Integer> sizes;
  private final NamesSettings settings;

  NamesKind(Map<String, Integer> sizes, NamesSettings settings) {
    this.sizes = new TreeMap<>(sizes);
    this.settings = settings;
  }

  /** A model of these sizes with initial values. */
  abstract NamesModel create(Device device, Map<String, Integer> sizes);

  /** The sizes that are used unless a file says otherwise, by name. */
  Map<String, Integer> sizes() {
    return sizes;
  }

  /** How it is trained unless options say otherwise. */
  NamesSettings settings() {
    return settings;
  }

  /** Its name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
