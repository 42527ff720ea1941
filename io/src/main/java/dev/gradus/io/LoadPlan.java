package dev.gradus.io;

import dev.gradus.spi.Storage;
import dev.gradus.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which tensor takes which entry of a file, or every reason why they do not fit. */
final class LoadPlan {
  private final SafeTensorsReader reader;
  private final Map<String, ? extends Tensor> targets;
  private final IdentityHashMap<Storage, Map<String, TensorEntry>> found = new IdentityHashMap<>();
  private final Map<Tensor, TensorEntry> plan = new LinkedHashMap<>();
  private final List<String> missing = new ArrayList<>();
  private final List<String> unexpected = new ArrayList<>();
  private final List<String> differing = new ArrayList<>();

  private LoadPlan(SafeTensorsReader reader, Map<String, ? extends Tensor> targets) {
    this.reader = reader;
    this.targets = targets;
  }

  /** The tensors with their entries, each memory once; nothing is changed yet. */
  static Map<Tensor, TensorEntry> of(
      Path file, SafeTensorsReader reader, Map<String, ? extends Tensor> targets) {
    LoadPlan plan = new LoadPlan(reader, targets);
    plan.match();
    plan.findMissing();
    plan.findUnexpected();
    plan.report(file);
    return plan.plan;
  }

  private void match() {
    targets.forEach(
        (name, tensor) -> {
          if (!reader.contains(name)) {
            return;
          }
          TensorEntry entry = reader.entry(name);
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
            missing.add(Names.quote(name) + " " + tensor.dtype().label() + " " + tensor.shape());
          }
        });
  }

  private void findUnexpected() {
    List<String> names = new ArrayList<>(reader.names());
    names.addAll(reader.aliases().keySet());
    for (String name : names) {
      if (!targets.containsKey(name)) {
        TensorEntry e = reader.entry(name);
        unexpected.add(Names.quote(name) + " " + e.type() + " " + e.shape());
      }
    }
  }

  private void report(Path file) {
    if (missing.isEmpty() && unexpected.isEmpty() && differing.isEmpty()) {
      return;
    }
    StringBuilder s = new StringBuilder("SafeTensors.loadInto: ");
    s.append(file).append(" does not fit; nothing was changed");
    list(s, "missing in the file", missing);
    list(s, "unexpected in the file", unexpected);
    list(s, "different", differing);
    s.append("\n  read what fits one by one: SafeTensors.open(file).readInto(name, tensor)");
    throw new IllegalArgumentException(s.toString());
  }

  private static void list(StringBuilder s, String what, List<String> problems) {
    if (!problems.isEmpty()) {
      s.append("\n  ").append(what).append(":");
      problems.forEach(p -> s.append("\n    ").append(p));
    }
  }
}
