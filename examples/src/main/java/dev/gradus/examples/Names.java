package dev.gradus.examples;

import dev.gradus.tensor.Generator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * 8,403 first names, cut into those to train on and those to validate with; PROVENANCE.md beside
 * the lists tells where they come from.
 *
 * @param training nine tenths of the names
 * @param validation the tenth that no training sees
 */
record Names(List<String> training, List<String> validation) {
  private static final List<String> LISTS = List.of("names-female.txt", "names-male.txt");
  private static final int VALIDATION_PART = 10;

  /** All names of both lists: in lower case, of letters only, each once, in the lists' order. */
  static List<String> load() throws IOException {
    Set<String> names = new LinkedHashSet<>();
    for (String list : LISTS) {
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(Resources.open(list), StandardCharsets.UTF_8))) {
        lines
            .lines()
            .map(line -> line.strip().toLowerCase(Locale.ROOT))
            .filter(Alphabet::spells)
            .forEach(names::add);
      }
    }
    return List.copyOf(names);
  }

  /** The names in an order drawn from the seed, a tenth of them set aside. */
  static Names split(List<String> all, long seed) {
    long[] order = new long[all.size()];
    new Generator(seed).randperm(order);
    List<String> mixed = new ArrayList<>(all.size());
    for (long i : order) {
      mixed.add(all.get((int) i));
    }
    int held = all.size() / VALIDATION_PART;
    return new Names(
        List.copyOf(mixed.subList(held, mixed.size())), List.copyOf(mixed.subList(0, held)));
  }
}
