package dev.gradus.io;

import dev.gradus.nn.Strictness;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.OptimizerState;
import dev.gradus.optim.ParamGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * The state of an optimizer of PyTorch, in the file that {@code scripts/export_torch_optimizer.py}
 * writes.
 *
 * <p>PyTorch numbers parameters in the order of its groups. Where the file has names for them, they
 * are matched by name; else number by number with the parameters of the optimizer's groups, in
 * order. Groups are matched in order. SGD, Muon and LBFGS keep no count of steps in PyTorch: it
 * begins at 1.
 */
public final class TorchOptimizer {
  private static final String KEY = "gradus.torch_optimizer";
  private static final long FORMAT = 1;

  private final Path file;
  private final Optimizer<?> optimizer;
  private final List<String> problems = new ArrayList<>();

  /** The names of the parameters by their numbers. */
  private final Map<Long, String> names = new LinkedHashMap<>();

  private boolean inOrder;

  private TorchOptimizer(Path file, Optimizer<?> optimizer) {
    this.file = file;
    this.optimizer = optimizer;
  }

  /** What the file says. */
  private record Exported(
      String kind,
      Map<String, Double> schedule,
      List<Group> groups,
      Map<String, OptimizerState.OfParameter> parameters) {}

  private record Group(List<Long> numbers, List<String> names, Map<String, Object> options) {}

  /**
   * Lets an optimizer go on where PyTorch's was. It has the same groups; where a scheduler was
   * exported, attach its schedule before.
   *
   * @throws IllegalArgumentException if the file is another, or the kind, a group, a name, an
   *     option, a shape or a type differs: one text lists every problem, and nothing was changed
   * @throws MalformedFileException if the file is damaged; nothing was changed
   * @throws IOException if reading fails; nothing was changed
   */
  public static void load(Path file, Optimizer<?> optimizer) throws IOException {
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      String json = reader.metadata().get(KEY);
      if (json == null) {
        throw new IllegalArgumentException(
            "TorchOptimizer.load: "
                + file
                + " is no exported optimizer: it has no metadata '"
                + KEY
                + "'; write it with scripts/export_torch_optimizer.py");
      }
      Exported exported =
          StrictJson.read(file, "the exported optimizer", json, j -> parse(file, reader, j));
      new TorchOptimizer(file, optimizer).load(exported);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  // ---- reading

  private static Exported parse(Path file, SafeTensorsReader reader, StrictJson json)
      throws IOException {
    json.begin();
    String source = json.field("source").text();
    long format = json.field("format").count();
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "TorchOptimizer.load: "
              + file
              + ", of "
              + Names.quote(source)
              + ", has format "
              + format
              + "; this release reads format "
              + FORMAT
              + ": export it with the script of this release");
    }
    String kind = json.field("kind").text();
    Map<String, Double> schedule = json.field("schedule").map(json::number);
    List<Group> groups = json.field("groups").list(() -> group(json));
    Map<String, OptimizerState.OfParameter> parameters =
        json.field("parameters").entries(n -> FileBuffer.parameter(n + ".", reader, json));
    json.end();
    return new Exported(kind, schedule, groups, parameters);
  }

  private static Group group(StrictJson json) throws IOException {
    json.begin();
    List<Long> numbers = json.field("numbers").list(json::count);
    List<String> names = json.field("names").list(json::text);
    Map<String, Object> options = json.field("options").map(json::option);
    json.end();
    if (!names.isEmpty() && names.size() != numbers.size()) {
      throw json.malformed(
          "a group has " + numbers.size() + " parameters and " + names.size() + " names");
    }
    return new Group(numbers, names, options);
  }

  // ---- matching

  private void load(Exported exported) throws IOException {
    match(exported.groups());
    refuseProblems();
    OptimizerState state = state(exported);
    problems.addAll(optimizer.misfits(state, Strictness.STRICT));
    refuseProblems();
    optimizer.loadStateDict(state);
  }

  private void match(List<Group> groups) {
    List<? extends ParamGroup<?>> live = optimizer.groups();
    if (groups.size() != live.size()) {
      problems.add(
          "the file has "
              + groups.size()
              + " param groups, the optimizer "
              + live.size()
              + "; make the same groups, in the same order");
      return;
    }
    for (int i = 0; i < groups.size(); i++) {
      Group group = groups.get(i);
      List<String> own = live.get(i).names();
      if (group.names().isEmpty() && own.size() != group.numbers().size()) {
        problems.add(
            "group '"
                + live.get(i).name()
                + "' has "
                + own.size()
                + " parameters, number "
                + i
                + " of the file "
                + group.numbers().size()
                + "; make the same groups, or export with the model's names");
        continue;
      }
      inOrder |= group.names().isEmpty();
      List<String> matched = group.names().isEmpty() ? own : group.names();
      for (int k = 0; k < matched.size(); k++) {
        names.put(group.numbers().get(k), matched.get(k));
      }
    }
  }

  private OptimizerState state(Exported exported) throws MalformedFileException {
    List<OptimizerState.Group> groups = new ArrayList<>();
    for (int i = 0; i < exported.groups().size(); i++) {
      Group group = exported.groups().get(i);
      groups.add(
          new OptimizerState.Group(
              optimizer.groups().get(i).name(),
              group.numbers().stream().map(n -> names.getOrDefault(n, "")).toList(),
              new TreeMap<>(group.options()),
              Map.of()));
    }
    Map<String, OptimizerState.OfParameter> parameters = new LinkedHashMap<>();
    names.forEach(
        (number, name) -> {
          OptimizerState.OfParameter kept = exported.parameters().get(number.toString());
          if (kept != null) {
            parameters.put(name, kept);
          }
        });
    if (parameters.size() != exported.parameters().size()) {
      throw malformed("there is state of parameters that are in no group");
    }
    try {
      return new OptimizerState(exported.kind(), exported.schedule(), groups, parameters);
    } catch (IllegalArgumentException e) {
      throw malformed(String.valueOf(e.getMessage()));
    }
  }

  private MalformedFileException malformed(String what) {
    return new MalformedFileException(file, "the exported optimizer: " + what);
  }

  private void refuseProblems() {
    if (problems.isEmpty()) {
      return;
    }
    StringBuilder text = new StringBuilder("TorchOptimizer.load: ");
    text.append(file).append(" does not fit; nothing was changed");
    problems.forEach(p -> text.append("\n  ").append(p));
    if (inOrder && !names.isEmpty()) {
      StringJoiner matched = new StringJoiner(", ");
      names.forEach((number, name) -> matched.add(number + " " + Names.quote(name)));
      text.append("\n  numbers were matched in order: ").append(matched);
      text.append("; export with the model to match names");
    }
    throw new IllegalArgumentException(text.toString());
  }
}
