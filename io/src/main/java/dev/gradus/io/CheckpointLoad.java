package dev.gradus.io;

import dev.gradus.nn.LoadResult;
import dev.gradus.nn.Module;
import dev.gradus.nn.Strictness;
import dev.gradus.optim.AveragedModel;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.OptimizerState;
import dev.gradus.tensor.Generator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One loading of a checkpoint: first every problem is found, then values are overwritten. */
final class CheckpointLoad {
  private final Map<String, Optimizer<?>> optimizers;
  private final Map<String, Generator> generators;
  private final Path file;
  private final SafeTensorsReader reader;
  private final CheckpointHeader header;
  private final Strictness strictness;

  /** The models that are in the file. */
  private final Map<String, LoadPlan> plans = new LinkedHashMap<>();

  /** The averages that are in the file. */
  private final List<Averages> averages = new ArrayList<>();

  private final List<String> missing = new ArrayList<>();
  private final List<String> unexpected = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  private record Averages(String part, AveragedModel of, Map<String, FileBuffer> state) {}

  CheckpointLoad(
      Map<String, Module> models,
      Map<String, AveragedModel> averaged,
      Map<String, Optimizer<?>> optimizers,
      Map<String, Generator> generators,
      Path file,
      SafeTensorsReader reader,
      CheckpointHeader header,
      Strictness strictness) {
    this.optimizers = optimizers;
    this.generators = generators;
    this.file = file;
    this.reader = reader;
    this.header = header;
    this.strictness = strictness;
    compareParts(models.keySet(), header.models());
    compareParts(averaged.keySet(), header.averages());
    compareParts(optimizers.keySet(), header.optimizers().keySet());
    compareParts(generators.keySet(), header.generators().keySet());
    models.forEach(
        (part, model) -> {
          if (header.models().contains(part)) {
            plans.put(part, LoadPlan.of(reader, part + ".", model.stateDict()));
          }
        });
    averaged.forEach(
        (part, of) -> {
          if (header.averages().contains(part)) {
            averages.add(new Averages(part, of, buffers(part + ".")));
          }
        });
  }

  /** The tensors whose names begin so, those that can be read. */
  private Map<String, FileBuffer> buffers(String prefix) {
    Map<String, FileBuffer> state = new LinkedHashMap<>();
    for (String name : reader.allNames()) {
      if (name.startsWith(prefix)) {
        ElementType type = reader.entry(name).type();
        if (type.readAs() == null) {
          problems.add(Names.quote(name) + " is stored as " + type + ", which cannot be read");
        } else {
          state.put(name.substring(prefix.length()), FileBuffer.of(reader, name));
        }
      }
    }
    return state;
  }

  private void compareParts(Collection<String> live, Collection<String> saved) {
    live.stream().filter(part -> !saved.contains(part)).forEach(missing::add);
    saved.stream().filter(part -> !live.contains(part)).forEach(unexpected::add);
  }

  /** Loads, and says which names only one side has. */
  LoadResult run() throws IOException {
    findProblems();
    if (!problems.isEmpty()) {
      if (strictness == Strictness.LENIENT) {
        problems.add(
            "leniently, only names of models and optimizers may differ: give what has another shape"
                + " a new name, and leave out averages that do not fit");
      }
      throw new IllegalArgumentException(
          "Checkpoint.load: "
              + file
              + " does not fit; nothing was changed\n  "
              + String.join("\n  ", problems));
    }
    for (LoadPlan plan : plans.values()) {
      reader.check(plan);
    }
    for (Averages a : averages) {
      for (FileBuffer buffer : a.state().values()) {
        reader.checkTruths(reader.entry(buffer.name()));
      }
    }
    // Optimizers first: they take nothing over before everything is read.
    optimizers.forEach(
        (part, optimizer) -> {
          OptimizerState state = header.optimizers().get(part);
          if (state != null) {
            tell(part, optimizer.loadStateDict(state, strictness));
          }
        });
    averages.forEach(a -> a.of().loadState(a.state()));
    for (Map.Entry<String, LoadPlan> e : plans.entrySet()) {
      reader.fill(e.getValue());
      tell(e.getKey(), e.getValue().difference());
    }
    generators.forEach(
        (part, generator) -> {
          if (header.generators().containsKey(part)) {
            generator.setState(header.generators().get(part));
          }
        });
    return new LoadResult(missing, unexpected);
  }

  private void findProblems() {
    if (strictness == Strictness.STRICT) {
      missing.forEach(part -> problems.add(Names.quote(part) + " is not in the file"));
      unexpected.forEach(
          part ->
              problems.add(
                  Names.quote(part)
                      + " is in the file and was not asked for; add it, or leave it with"
                      + " Strictness.LENIENT"));
    }
    plans.forEach(
        (part, plan) ->
            plan.problems(strictness)
                .forEach(
                    (what, list) ->
                        list.forEach(
                            p -> problems.add(Names.quote(part) + ": " + what + ": " + p))));
    for (Averages a : averages) {
      a.of().misfits(a.state()).forEach(p -> problems.add(Names.quote(a.part()) + ": " + p));
    }
    optimizers.forEach(
        (part, optimizer) -> {
          OptimizerState state = header.optimizers().get(part);
          if (state != null) {
            for (String p : optimizer.misfits(state, strictness)) {
              problems.add(Names.quote(part) + ": " + p);
            }
          }
        });
  }

  private void tell(String part, LoadResult difference) {
    difference.missing().forEach(name -> missing.add(part + "." + name));
    difference.unexpected().forEach(name -> unexpected.add(part + "." + name));
  }
}
