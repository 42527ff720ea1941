package dev.gradus.examples;

import dev.gradus.io.SafeTensors;
import dev.gradus.io.SafeTensorsReader;
import dev.gradus.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A model of names in a file: its parameters and, as texts, what is needed to make it again. */
final class NamesFile {
  private static final String KIND = "model";
  private static final String ALPHABET = "alphabet";
  private static final String CHECKPOINT = "gradus.checkpoint";

  private NamesFile() {}

  /** Writes a model, or replaces the file. */
  static void save(Path file, NamesModel model) throws IOException {
    Map<String, String> texts = new HashMap<>();
    texts.put(KIND, "names-" + model.kind());
    texts.put(ALPHABET, Alphabet.CHARACTERS);
    model.sizes().byName().forEach((name, size) -> texts.put(name, size.toString()));
    SafeTensors.save(file, model, texts);
  }

  /**
   * Reads a model.
   *
   * @throws IOException if the file cannot be read or is malformed
   * @throws IllegalArgumentException if it holds something else
   */
  static NamesModel load(Path file, Device device) throws IOException {
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      NamesModel model = describedBy(file, reader.metadata(), device);
      reader.loadInto(model);
      return model;
    }
  }

  /** The model that the texts of a file describe, with initial values. */
  private static NamesModel describedBy(Path file, Map<String, String> texts, Device device) {
    if (texts.containsKey(CHECKPOINT)) {
      throw new IllegalArgumentException(
          "file '"
              + file
              + "' is a checkpoint of a training; 'gradus train names --resume "
              + file
              + " --save MODEL' writes its model");
    }
    NamesKind kind = kind(file, texts.get(KIND));
    if (!Alphabet.CHARACTERS.equals(texts.get(ALPHABET))) {
      throw wrong(file, ALPHABET, texts.get(ALPHABET), "'" + Alphabet.CHARACTERS + "'");
    }
    Map<String, Integer> byName = new TreeMap<>();
    for (Map.Entry<String, Integer> size : kind.sizes().byName().entrySet()) {
      String name = size.getKey();
      byName.put(name, size(file, name, texts.get(name)));
    }
    return kind.create(device, new NamesSizes(byName));
  }

  private static NamesKind kind(Path file, @Nullable String text) {
    for (NamesKind kind : NamesKind.values()) {
      if (("names-" + kind).equals(text)) {
        return kind;
      }
    }
    throw wrong(file, KIND, text, "'names-mlp' or 'names-gpt'");
  }

  private static int size(Path file, String name, @Nullable String text) {
    if (text == null || !text.matches("[1-9][0-9]{0,3}")) {
      throw wrong(file, name, text, "a whole number from 1 to 9999");
    }
    return Integer.parseInt(text);
  }

  private static IllegalArgumentException wrong(
      Path file, String key, @Nullable String text, String rule) {
    return new IllegalArgumentException(
        "file '"
            + file
            + "': its text '"
            + key
            + "' is "
            + (text == null ? "missing" : "'" + text + "'")
            + "; it must be "
            + rule
            + ", as 'gradus train names --save' writes it");
  }
}
