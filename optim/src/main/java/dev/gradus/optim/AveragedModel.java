package dev.gradus.optim;

import dev.gradus.nn.Module;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Averages of a model's parameters over its training, often better than the last ones: with weights
 * that fall exponentially (EMA), or equal ones (SWA).
 *
 * <pre>{@code
 * AveragedModel ema = AveragedModel.ema(model, 0.999);
 * adam.afterStep(ema::update);
 * …
 * try (AveragedModel.Swap averages = ema.swapIn()) {
 *   evaluate(model);                                   // with the averages
 * }                                                    // and on with the model's own
 * }</pre>
 *
 * <p>The first update copies; each later one reads and writes once: {@code a = a + w (p - a)}, with
 * {@code w = 1 - decay}, or {@code 1 / (n + 1)} after n updates. Buffers of the model are its own
 * unless {@link #withBuffers()} averages them too. Averages follow a model that moved to another
 * device or type at the next update. For the thread that trains.
 *
 * <p>Sources: arXiv:1803.05407 (SWA); PyTorch's AveragedModel, whose state this reads and writes.
 */
public final class AveragedModel {
  private static final String COUNT = "n_averaged";
  private static final String PREFIX = "module.";
  private static final long[] ONE = {1};

  /** The weight of the model after so many updates. */
  @FunctionalInterface
  private interface Weight {
    double after(long updates);
  }

  /** A tensor of the model and the average of it. */
  private static final class Pair {
    final String name;
    final Tensor model;
    StateTensor average;

    Pair(String name, Tensor model) {
      this.name = name;
      this.model = model;
      this.average = StateTensor.copyOf(model);
    }
  }

  /** The averages are in the model while this is open. */
  public final class Swap implements AutoCloseable {
    private Swap() {}

    /** Puts the model's own values back, to the bit; a second call does nothing. */
    @Override
    public void close() {
      if (swap == this) {
        exchange();
        swap = null;
      }
    }
  }

  private final Module model;
  private final String kind;
  private final Weight weight;
  private final List<Pair> pairs = new ArrayList<>();
  private long updates;
  private @Nullable Swap swap;

  private AveragedModel(Module model, String kind, Weight weight, boolean buffers) {
    this.model = model;
    this.kind = kind;
    this.weight = weight;
    if (model.parameters().isEmpty()) {
      throw new IllegalArgumentException(
          "AveragedModel: the model has no parameters; layers count when they are registered");
    }
    model.namedParameters().forEach(e -> pairs.add(new Pair(e.getKey(), e.getValue())));
    if (buffers) {
      model.namedBuffers().forEach((name, b) -> pairs.add(new Pair(name, b)));
    }
  }

  /**
   * Averages whose weights fall exponentially: {@code a = decay a + (1 - decay) p}.
   *
   * @param decay in [0, 1), as 0.999: an average over some 1 / (1 - decay) updates
   * @throws IllegalArgumentException if the decay is not allowed, or the model has no parameters
   */
  public static AveragedModel ema(Module model, double decay) {
    OptionChecks.decayRate("AveragedModel.ema", "decay", decay);
    return new AveragedModel(model, "ema, decay " + PythonFormat.of(decay), n -> 1 - decay, false);
  }

  /**
   * Averages in which every update has the same weight.
   *
   * @throws IllegalArgumentException if the model has no parameters
   */
  public static AveragedModel swa(Module model) {
    return new AveragedModel(model, "swa", n -> 1.0 / (n + 1), false);
  }

  /**
   * Such averages, begun anew, that take the model's buffers too: floating-point ones are averaged,
   * of others the last is kept.
   */
  public AveragedModel withBuffers() {
    return new AveragedModel(model, kind, weight, true);
  }

  /** How many times the model was taken into the averages. */
  public long updates() {
    return updates;
  }

  // ---- averaging

  /**
   * Takes the model as it is now into the averages.
   *
   * @throws IllegalStateException while the averages are in the model, or inside a captured step
   */
  @SuppressWarnings("try") // block and span are open for their effect
  public void update() {
    requireModelsOwn("update");
    if (CapturedStep.isRecording()) {
      throw new IllegalStateException(
          "AveragedModel.update: a replay of the captured step would not count it; call it after"
              + " each run");
    }
    try (NoGrad off = NoGrad.open();
        Profiler.Span span = device().profiler().update("AveragedModel")) {
      for (int i = 0; i < pairs.size(); i++) {
        update(pairs.get(i));
      }
    }
    updates++;
  }

  private void update(Pair pair) {
    follow(pair);
    Tensor p = pair.model;
    StateTensor a = pair.average;
    if (updates == 0 || !p.dtype().isFloating()) {
      a.copyFrom(p);
    } else {
      Backend backend = p.device().backend();
      double w = weight.after(updates);
      backend.binary(
          BinaryOp.LERP, a.storage(), Spread.FULL, p.storage(), Spread.FULL, a.storage(), w);
      a.changed();
    }
  }

  private static void follow(Pair pair) {
    if (!pair.average.suits(pair.model)) {
      pair.average = StateTensor.copyFor(pair.model, pair.average);
    }
  }

  private void requireModelsOwn(String what) {
    if (swap != null) {
      throw new IllegalStateException(
          "AveragedModel."
              + what
              + ": the averages are in the model; close what swapIn() gave before");
    }
  }

  // ---- swapping

  /**
   * Puts the averages into the model until what this gives is closed, for an evaluation or to save
   * it. Do not train meanwhile: the change would go into the averages.
   *
   * @throws IllegalStateException if there are no averages yet, or they are in the model already
   */
  public Swap swapIn() {
    requireModelsOwn("swapIn");
    if (updates == 0) {
      throw new IllegalStateException(
          "AveragedModel.swapIn: there are no averages yet; call update() after each step");
    }
    exchange();
    Swap opened = new Swap();
    swap = opened;
    return opened;
  }

  /** Exchanges the values of the model and the averages; all memory is there before the first. */
  @SuppressWarnings("try") // the scope is open for its effect
  private void exchange() {
    try (Scope scope = Scope.open()) {
      Map<Place, Long> sizes = new LinkedHashMap<>();
      for (Pair pair : pairs) {
        follow(pair);
        sizes.merge(Place.of(pair.model), pair.model.numel(), Math::max);
      }
      Map<Place, Tensor> between = new LinkedHashMap<>();
      sizes.forEach((at, n) -> between.put(at, at.device.zeros(at.dtype, n)));
      for (Pair pair : pairs) {
        Tensor through = between.get(Place.of(pair.model));
        if (through != null) {
          exchange(pair.model, pair.average, through.storage());
        }
      }
    }
  }

  private record Place(Device device, DType dtype) {
    static Place of(Tensor t) {
      return new Place(t.device(), t.dtype());
    }
  }

  private static void exchange(Tensor a, Tensor b, Storage between) {
    copy(a, a.storage(), between);
    copy(a, b.storage(), a.storage());
    copy(a, between, b.storage());
    a.changed();
    b.changed();
  }

  private static void copy(Tensor like, Storage from, Storage to) {
    long[] n = {like.numel()};
    like.device().backend().copyStrided(n, from, 0, ONE, to, 0, ONE);
  }

  // ---- state

  /**
   * A copy of the averages under the names of PyTorch's AveragedModel: {@code n_averaged}, the
   * number of updates, and each tensor of the model as {@code module.NAME}, tied ones under each of
   * their names. A buffer that is not averaged stands there as it is in the model.
   *
   * @throws IllegalStateException while the averages are in the model
   */
  public Map<String, Tensor> stateDict() {
    requireModelsOwn("stateDict");
    Map<String, Tensor> state = liveState();
    state.replaceAll((name, t) -> StateTensor.copyOf(t));
    return state;
  }

  /**
   * What {@link #stateDict()} copies, with the living averages: to write it to a file without a
   * second copy in memory. The next update changes what it gives.
   *
   * @throws IllegalStateException while the averages are in the model
   */
  public Map<String, Tensor> liveState() {
    requireModelsOwn("liveState");
    Map<String, Tensor> state = new LinkedHashMap<>();
    try (Tensor count = device().tensor(new long[] {updates});
        Tensor scalar = count.reshape()) {
      state.put(COUNT, StateTensor.copyOf(scalar));
    }
    IdentityHashMap<Tensor, Tensor> averages = new IdentityHashMap<>();
    if (updates > 0) {
      pairs.forEach(pair -> averages.put(pair.model, pair.average));
    }
    model.stateDict().forEach((name, t) -> state.put(PREFIX + name, averages.getOrDefault(t, t)));
    return state;
  }

  private Device device() {
    return pairs.get(0).model.device();
  }

  /**
   * Goes on from a state. Averages are converted to the model's types and devices; a tied tensor
   * needs one of its names; buffers that are not averaged are left out.
   *
   * @throws IllegalArgumentException if a name is missing or unexpected, or a shape differs; the
   *     text lists every problem, and nothing is changed
   * @throws IllegalStateException while the averages are in the model
   */
  public void loadStateDict(Map<String, ? extends Tensor> state) {
    Map<String, StateBuffer> values = new LinkedHashMap<>();
    state.forEach((name, t) -> values.put(name, new StateBuffer.InMemory(t)));
    loadState(values);
  }

  /**
   * Goes on from a state whose values may still be in a file, as {@link #loadStateDict(Map)} does.
   *
   * @throws IllegalArgumentException if a name is missing or unexpected, or a shape differs; the
   *     text lists every problem, and nothing is changed
   * @throws IllegalStateException while the averages are in the model
   */
  public void loadState(Map<String, ? extends StateBuffer> state) {
    Given given = look(state);
    if (!given.problems.isEmpty()) {
      throw new IllegalArgumentException(
          "AveragedModel.loadStateDict: the state does not fit; nothing was loaded\n  "
              + String.join("\n  ", given.problems));
    }
    takeOver(given.values);
    updates = given.updates;
  }

  /**
   * Every reason why {@link #loadState(Map)} would refuse a state, a line each; none where it fits.
   *
   * @throws IllegalStateException while the averages are in the model
   */
  public List<String> misfits(Map<String, ? extends StateBuffer> state) {
    return look(state).problems;
  }

  /** What a state has for this model, and what does not fit. */
  private record Given(
      long updates, IdentityHashMap<Tensor, StateBuffer> values, List<String> problems) {}

  private Given look(Map<String, ? extends StateBuffer> state) {
    requireModelsOwn("loadStateDict");
    List<String> problems = new ArrayList<>();
    long count = count(state, problems);
    IdentityHashMap<Tensor, StateBuffer> given = given(state, problems);
    for (Pair pair : pairs) {
      StateBuffer value = given.get(pair.model);
      if (value == null) {
        problems.add("missing: '" + PREFIX + pair.name + "'");
      } else if (!value.shape().equals(pair.model.shape())) {
        problems.add(
            "shape of '"
                + PREFIX
                + pair.name
                + "': "
                + value.shape()
                + "; the model has "
                + pair.model.shape());
      }
    }
    return new Given(count, given, problems);
  }

  @SuppressWarnings("try") // the block is open for its effect
  private void takeOver(IdentityHashMap<Tensor, StateBuffer> given) {
    Map<Pair, StateTensor> copies = new LinkedHashMap<>();
    try (NoGrad off = NoGrad.open()) {
      for (Pair pair : pairs) {
        StateBuffer value = given.get(pair.model);
        if (value != null) {
          StateTensor copy = StateTensor.reading(pair.model, value);
          copies.put(pair, copy.suits(pair.model) ? copy : StateTensor.copyFor(pair.model, copy));
        }
      }
    }
    copies.forEach((pair, copy) -> pair.average = copy);
  }

  /** The number of updates that a state has; 0, and a problem, where that is none. */
  private long count(Map<String, ? extends StateBuffer> state, List<String> problems) {
    StateBuffer count = state.get(COUNT);
    if (count == null) {
      problems.add("missing: '" + COUNT + "'");
      return 0;
    }
    long updates = -1;
    if (count.dtype() == DType.I64 && count.shape().numel() == 1) {
      try (Tensor value = count.on(device())) {
        updates = value.itemLong();
      }
    }
    if (updates < 0) {
      problems.add("'" + COUNT + "' is not a number of updates: one int64, at least 0");
      return 0;
    }
    return updates;
  }

  /** For tensors of the model the values that a state has under one of their names. */
  private IdentityHashMap<Tensor, StateBuffer> given(
      Map<String, ? extends StateBuffer> state, List<String> problems) {
    Map<String, Tensor> own = model.stateDict();
    IdentityHashMap<Tensor, StateBuffer> given = new IdentityHashMap<>();
    state.forEach(
        (name, value) -> {
          Tensor t = name.startsWith(PREFIX) ? own.get(name.substring(PREFIX.length())) : null;
          if (t != null) {
            given.put(t, value);
          } else if (!name.equals(COUNT)) {
            problems.add("unexpected: '" + name + "'");
          }
        });
    return given;
  }

  /** The kind of average and the number of updates. */
  @Override
  public String toString() {
    return "AveragedModel(" + kind + ", updates " + updates + ")";
  }
}
