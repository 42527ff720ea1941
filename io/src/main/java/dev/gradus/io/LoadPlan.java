package dev.gradus.io;

import dev.gradus.nn.LoadResult;
import dev.gradus.nn.Strictness;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Which tensor takes which entry of a file, and every reason why some do not fit. */
final class LoadPlan {
  private final SafeTensorsReader reader;
  private final String prefix;
  private final Map<String, ? extends Tensor> targets;
  private final IdentityHashMap<Storage, Map<String, TensorEntry>> found = new IdentityHashMap<>();
  private final Map<Tensor, TensorEntry> plan = new LinkedHashMap<>();
  private final List<String> missing = new ArrayList<>();
  private final List<String> unexpected = new ArrayList<>();
  private final List<String> differing = new ArrayList<>();

  private LoadPlan(SafeTensorsReader reader, String prefix, Map<String, ? extends Tensor> targets) {
    this.reader = reader;
    this.prefix = prefix;
    this.targets = targets;
  }

  /**
   * A plan; nothing is changed yet.
   *
   * @param prefix what stands in the file before the names of the targets; entries without it do
   *     not count
   */
  static LoadPlan of(
      SafeTensorsReader reader, String prefix, Map<String, ? extends Tensor> targets) {
    LoadPlan plan = new LoadPlan(reader, prefix, targets);
    plan.match();
    plan.findMissing();
    plan.findUnexpected();
    return plan;
  }

  /** The tensors that have an entry, each memory once. */
  Map<Tensor, TensorEntry> entries() {
    return plan;
  }

  /** The names that only one side has. */
  LoadResult difference() {
    return new LoadResult(missing, unexpected);
  }

  private void match() {
    targets.forEach(
        (name, tensor) -> {
          if (!reader.contains(prefix + name)) {
            return;
          }
          TensorEntry entry = reader.entry(prefix + name);
          Map<String, TensorEntry> tied =
              found.computeIfAbsent(tensor.storage(), s -> new LinkedHashMap<>());
          String problem = SafeTensorsReader.problem(entry, tensor);
          if (problem != null) {
            differing.add(Names.quote(name) + " " + problem);
          } else if (tied.isEmpty()) {
            plan.put(tensor, entry);
          } else if (!tied.containsValue(entry)) {
            differing.add(
                Names.quote(name)
                    + " is tied to "
                    + Names.quote(tied.keySet().iterator().next())
                    + " here and has data of its own in the file");
          }
          tied.put(name, entry);
        });
  }

  private void findMissing() {
    targets.forEach(
        (name, tensor) -> {
          if (!found.containsKey(tensor.storage())) {
            missing.add(name);
          }
        });
  }

  private void findUnexpected() {
    for (String name : reader.allNames()) {
      if (name.startsWith(prefix) && !targets.containsKey(name.substring(prefix.length()))) {
        unexpected.add(name.substring(prefix.length()));
      }
    }
  }

  /** Every reason why the file does not fit, by kind; none where it does. */
  Map<String, List<String>> problems(Strictness strictness) {
    Map<String, List<String>> problems = new LinkedHashMap<>();
    if (strictness == Strictness.STRICT) {
      problems.put("missing in the file", missing.stream().map(this::wanted).toList());
      problems.put("unexpected in the file", unexpected.stream().map(this::stored).toList());
    }
    problems.put("different", differing);
    problems.values().removeIf(List::isEmpty);
    return problems;
  }

  private String wanted(String name) {
    Tensor t = Objects.requireNonNull(targets.get(name));
    return Names.quote(name) + " " + t.dtype().label() + " " + t.shape();
  }

  private String stored(String name) {
    TensorEntry e = reader.entry(prefix + name);
    return Names.quote(name) + " " + e.type() + " " + e.shape();
  }
}
