package dev.gradus.examples.parity;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Selection;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.OptimizerBuilder;
import dev.gradus.optim.OptimizerOptions;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The steps of a recording, done by this engine's optimizer with the recorded gradients. Its values
 * go their own way from the recorded start: they are never set back to the recorded ones, so what
 * differs in one step is seen in those that follow.
 *
 * @param <O> the options of a group
 */
public final class Replay<O extends OptimizerOptions<O>> {
  /*
   * The tolerance. Two engines that compute one formula may round it in a different order: in a step each rounds a value
   * once or twice, and the update, which is as a rule smaller than the greatest value, a few times. So a step adds a few
   * units in the last place of that value to their difference, and more only where a formula or an option differs. What
   * a step adds is looked at, not the sum: that grows with the steps, and would hide an error that begins late. An
   * element alone cannot be held to units of its own: one that passes through zero keeps the roundings of what it was.
   */

  /** Four units in the last place of a value in [1, 2). */
  private static double defaultTolerance(DType dtype) {
    return dtype == DType.F32 ? 0x1p-21 : 0x1p-50;
  }

  private final Recording recording;
  private final Optimizers.Kind<O> kind;
  private final Device device;
  private final double tolerance;
  private final NamedParameters parameters;
  private final Optimizer<O> optimizer;
  private final Map<String, Drift> drifts = new HashMap<>();

  private Replay(Recording recording, Optimizers.Kind<O> kind, Device device, double tolerance)
      throws IOException {
    this.recording = recording;
    this.kind = kind;
    this.device = device;
    this.tolerance = tolerance;
    this.parameters = start();
    try {
      this.optimizer = begin(recording.steps().get(0).groups());
    } catch (IllegalArgumentException e) {
      throw refused(1, e);
    }
  }

  /**
   * Replays a recording with the default tolerance: a step may add four units in the last place.
   *
   * @see #of(Recording, Device, double)
   */
  public static Comparison of(Recording recording, Device device) throws IOException {
    return of(recording, device, Double.NaN);
  }

  /**
   * Replays a recording.
   *
   * @param tolerance how much a step may add to the difference, as a part of the greatest magnitude
   *     that the parameter has had so far; NaN for the default of its type
   * @throws IOException if values cannot be read
   * @throws IllegalStateException if the optimizer refuses what is recorded; the text names the
   *     step
   */
  public static Comparison of(Recording recording, Device device, double tolerance)
      throws IOException {
    return of(recording, recording.kind(), device, tolerance);
  }

  private static <O extends OptimizerOptions<O>> Comparison of(
      Recording recording, Optimizers.Kind<O> kind, Device device, double tolerance)
      throws IOException {
    return new Replay<>(recording, kind, device, tolerance).run();
  }

  // ---- the optimizer

  @SuppressWarnings("try") // the scope is open for its effect
  private NamedParameters start() throws IOException {
    List<Map.Entry<String, Parameter>> all = new ArrayList<>();
    for (Map.Entry<String, Recording.Start> e : recording.parameters().entrySet()) {
      try (Scope scope = Scope.open()) {
        Tensor initial = e.getValue().initial().on(device);
        all.add(Map.entry(e.getKey(), new Parameter(initial)));
        drifts.put(e.getKey(), new Drift(initial.dtype(), numbers(initial)));
      }
    }
    return NamedParameters.of(all);
  }

  private Optimizer<O> begin(List<Recording.Group> groups) {
    OptimizerBuilder<O, ?> builder = kind.builder().allowUnused();
    for (Recording.Group g : groups) {
      O options = kind.options(g.options());
      builder.group(g.name(), members(g), o -> options);
    }
    return builder.build();
  }

  private Selection members(Recording.Group group) {
    Set<String> names = new HashSet<>(group.parameters());
    return parameters.where("recorded", (name, p) -> names.contains(name));
  }

  /** Gives the groups the options of a step, and adds those that begin with it. */
  private void regroup(List<Recording.Group> groups) {
    for (int i = 0; i < groups.size(); i++) {
      Recording.Group g = groups.get(i);
      O options = kind.options(g.options());
      if (i < optimizer.groups().size()) {
        optimizer.groups().get(i).setOptions(options);
      } else {
        optimizer.addGroup(g.name(), members(g), o -> options);
      }
    }
  }

  // ---- steps

  private Comparison run() throws IOException {
    List<Comparison.Row> rows = new ArrayList<>();
    int number = 0;
    for (Recording.Step step : recording.steps()) {
      number++;
      try {
        advance(step);
      } catch (IllegalArgumentException | IllegalStateException e) {
        throw refused(number, e);
      }
      for (Recording.Group g : step.groups()) {
        for (String name : g.parameters()) {
          rows.add(compare(number, name, step));
        }
      }
    }
    return new Comparison(rows);
  }

  private IllegalStateException refused(int step, RuntimeException e) {
    return new IllegalStateException(
        recording.file() + ": step " + step + ": " + e.getMessage(), e);
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void advance(Recording.Step step) throws IOException {
    regroup(step.groups());
    optimizer.zeroGrad();
    for (Map.Entry<String, Recording.Gradient> e : step.gradients().entrySet()) {
      try (Scope scope = Scope.open()) {
        give(e.getKey(), e.getValue());
      }
    }
    optimizer.step();
  }

  private void give(String name, Recording.Gradient gradient) throws IOException {
    Parameter p = parameters.get(name);
    Tensor values = gradient.values().on(device);
    if (gradient.rows() == null) {
      p.backward(values);
    } else {
      // A lookup of these rows whose result has these gradients.
      p.embedding("parameter '" + name + "'", gradient.rows().on(device), -1).backward(values);
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private Comparison.Row compare(int number, String name, Recording.Step step) throws IOException {
    try (Scope scope = Scope.open()) {
      Parameter p = parameters.get(name);
      Tensor recorded = step.after(name).on(device);
      double allowed = Double.isNaN(tolerance) ? defaultTolerance(p.dtype()) : tolerance;
      Drift drift = Objects.requireNonNull(drifts.get(name), name);
      return drift.step(number, name, numbers(p), numbers(recorded), allowed);
    }
  }

  private static double[] numbers(Tensor t) {
    return t.to(DType.F64).toDoubleArray();
  }
}
