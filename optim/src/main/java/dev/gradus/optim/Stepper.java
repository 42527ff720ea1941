package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the steps of an optimizer: looks at every parameter, prepares the batched updates where
 * something changed, and only then writes.
 *
 * @param <O> the options of a group
 * @param <H> what parameters of one group share in one step
 */
final class Stepper<O extends OptimizerOptions<O>, H> implements Steps<O> {
  private final String kind;
  private final UpdateRule<O, H> rule;
  private final List<H> hypers = new ArrayList<>();
  private List<Batch<H>> batches = List.of();

  /* For each hyper the scalars of its parameters before and after the step. */
  private final List<Map<String, Double>> before = new ArrayList<>();
  private final List<Map<String, Double>> after = new ArrayList<>();

  /* The keys (count, fresh) of the hypers of the group at hand, from index `first` on; the scalars
  belong to them. Groups in a row that have equal options share them. */
  private long[] keys = new long[4];
  private int first;
  private @Nullable O shared;

  /** What the parameters of one prepared update share. */
  private record Place(Device device, DType dtype) {}

  /** A parameter that joins an update that is being prepared. */
  private record Joining<O>(
      Member member,
      O options,
      Gradient grad,
      List<String> needed,
      Map<String, StateTensor> buffers) {}

  Stepper(String kind, UpdateRule<O, H> rule) {
    this.kind = kind;
    this.rule = rule;
  }

  @Override
  public boolean takesRows(O options) {
    return rule.form(options) != UpdateRule.Form.DENSE;
  }

  @Override
  public void check(List<ParamGroup<O>> groups) {
    for (ParamGroup<O> group : groups) {
      group.members().forEach(m -> rule.check(m.name, m.parameter.shape()));
    }
  }

  @Override
  public Shape shapeOf(String buffer, O options, Shape parameter) {
    return rule.start(buffer, options, parameter).shape();
  }

  @Override
  public Map<String, Double> scalars(O options) {
    return rule.scalars(options);
  }

  @Override
  public void settle(List<ParamGroup<O>> groups) {}

  @Override
  public double step(List<ParamGroup<O>> groups, Supplier<Tensor> closure, StepHooks hooks) {
    double loss = Steps.evaluate(kind, closure);
    hooks.around(() -> step(groups));
    return loss;
  }

  @Override
  public void step(List<ParamGroup<O>> groups) {
    if (!look(groups)) {
      prepare(groups);
    }
    forgetHypers();
    for (int g = 0; g < groups.size(); g++) {
      choose(groups.get(g));
    }
    if (CapturedStep.isRecording()) {
      recorded(groups);
    }
    for (int b = 0; b < batches.size(); b++) {
      batches.get(b).step(hypers);
    }
    for (int g = 0; g < groups.size(); g++) {
      count(groups.get(g).members());
    }
  }

  private void recorded(List<ParamGroup<O>> groups) {
    if (!batches.stream().allMatch(Batch::isLive)) {
      throw new UnsupportedOperationException(
          kind
              + ".step: it computes with numbers that a replay could not renew; leave it out of the"
              + " captured step and call it after each run");
    }
    CapturedStep.onReplay(new Recorded(groups));
  }

  /** A step that was recorded: which members took part, and by which formulas. */
  private final class Recorded implements CapturedStep.Live {
    private final List<ParamGroup<O>> groups;
    private final List<Member> members = new ArrayList<>();
    private final List<Member.@Nullable Place> places = new ArrayList<>();
    private final Set<Object> formulas;

    Recorded(List<ParamGroup<O>> groups) {
      this.groups = groups;
      for (ParamGroup<O> group : groups) {
        for (Member m : group.members()) {
          members.add(m);
          places.add(m.active ? m.place : null);
        }
      }
      this.formulas = formulas();
    }

    /** Whether the same members would take part, in the same memory and by the same formulas. */
    @Override
    public boolean fits() {
      int i = 0;
      for (ParamGroup<O> group : groups) {
        O options = group.optionsNow();
        for (Member m : group.members()) {
          if (i == members.size() || members.get(i) != m || !fits(m, places.get(i), options)) {
            return false;
          }
          i++;
        }
      }
      return i == members.size() && (formulas.isEmpty() || formulas.equals(nextFormulas()));
    }

    private boolean fits(Member m, Member.@Nullable Place place, O options) {
      List<String> needed = rule.buffers(options, m.parameter.shape());
      boolean fits = looksAt(m, needed, rule.form(options));
      return place == null ? fits && !m.active : fits && m.isReady(place, needed);
    }

    private Set<Object> nextFormulas() {
      forgetHypers();
      int i = 0;
      for (ParamGroup<O> group : groups) {
        O options = group.optionsNow();
        share(options);
        for (Member m : group.members()) {
          if (places.get(i++) != null) {
            hyperFor(options, m);
          }
        }
      }
      return formulas();
    }

    @Override
    public void renew() {
      step(groups);
    }
  }

  private Set<Object> formulas() {
    Set<Object> formulas = new HashSet<>();
    for (H hyper : hypers) {
      Object formula = rule.formula(hyper);
      if (formula != null) {
        formulas.add(formula);
      }
    }
    return formulas;
  }

  /** Looks at every option and parameter; whether the prepared updates still fit. */
  private boolean look(List<ParamGroup<O>> groups) {
    boolean fits = true;
    for (int g = 0; g < groups.size(); g++) {
      ParamGroup<O> group = groups.get(g);
      O options = group.optionsNow();
      UpdateRule.Form form = rule.form(options);
      List<Member> members = group.members();
      for (int i = 0; i < members.size(); i++) {
        Member m = members.get(i);
        fits &= looksAt(m, rule.buffers(options, m.parameter.shape()), form);
      }
    }
    return fits;
  }

  private boolean looksAt(Member m, List<String> needed, UpdateRule.Form form) {
    try {
      return m.look(needed, form);
    } catch (IllegalStateException e) {
      throw new IllegalStateException(
          kind + ".step: parameter '" + m.name + "': " + e.getMessage(), e);
    }
  }

  private void forgetHypers() {
    hypers.clear();
    before.clear();
    after.clear();
    shared = null;
  }

  /** The hypers to come belong to these options. */
  private void share(O options) {
    if (!options.equals(shared)) {
      first = hypers.size();
      shared = options;
    }
  }

  private void choose(ParamGroup<O> group) {
    O options = group.optionsNow();
    share(options);
    List<Member> members = group.members();
    for (int i = 0; i < members.size(); i++) {
      Member m = members.get(i);
      Member.Place place = m.place;
      if (place != null) {
        m.hyper = m.active ? hyperFor(options, m) : -1;
        place.batch().choose(place.index(), m.hyper);
      }
    }
  }

  private int hyperFor(O options, Member m) {
    long key = 2 * m.count + (m.fresh ? 1 : 0);
    Map<String, Double> scalars = m.scalars == null ? rule.scalars(options) : m.scalars;
    int n = hypers.size() - first;
    for (int k = n - 1; k >= 0; k--) {
      if (keys[k] == key && before.get(first + k).equals(scalars)) {
        return first + k;
      }
    }
    if (n == keys.length) {
      keys = Arrays.copyOf(keys, 2 * n);
    }
    keys[n] = key;
    UpdateRule.Progress progress = new UpdateRule.Progress(m.count + 1, m.fresh, scalars);
    hypers.add(rule.hyper(options, progress));
    before.add(scalars);
    after.add(rule.scalarsAfter(options, progress));
    return first + n;
  }

  private void count(List<Member> members) {
    for (int i = 0; i < members.size(); i++) {
      Member m = members.get(i);
      if (m.active) {
        m.count++;
        m.fresh = false;
        m.scalars = after.get(m.hyper);
        m.parameter.changed();
      }
    }
  }

  // ---- preparing

  private void prepare(List<ParamGroup<O>> groups) {
    Map<Place, List<Joining<O>>> joining = new LinkedHashMap<>();
    for (ParamGroup<O> group : groups) {
      O options = group.optionsNow();
      for (Member m : group.members()) {
        Parameter p = m.parameter;
        List<String> needed = rule.buffers(options, p.shape());
        if (m.joins(needed)) {
          joining
              .computeIfAbsent(new Place(p.device(), p.dtype()), k -> new ArrayList<>())
              .add(new Joining<>(m, options, m.gradient(), needed, new LinkedHashMap<>(m.buffers)));
        }
      }
    }
    joining.values().forEach(this::addBuffers);
    List<Batch<H>> prepared = new ArrayList<>();
    try {
      joining.forEach((place, list) -> prepared.add(batch(place.device, list)));
    } catch (RuntimeException | Error e) {
      prepared.forEach(Batch::close);
      throw e;
    }
    batches.forEach(Batch::close);
    batches = prepared;
    for (ParamGroup<O> group : groups) {
      group.members().forEach(m -> m.place = null);
    }
    int k = 0;
    for (List<Joining<O>> list : joining.values()) {
      settle(prepared.get(k++), list);
    }
  }

  /**
   * Adds the buffers that are missing: those of one name after each other, so that they lie side by
   * side in memory, and a step over many small ones reads each kind in one go.
   */
  private void addBuffers(List<Joining<O>> joining) {
    Set<String> names = new LinkedHashSet<>();
    joining.forEach(j -> names.addAll(j.needed));
    for (String name : names) {
      for (Joining<O> j : joining) {
        if (j.needed.contains(name)) {
          j.buffers.compute(name, (n, old) -> suiting(old, n, j));
        }
      }
    }
  }

  private StateTensor suiting(@Nullable StateTensor old, String name, Joining<O> j) {
    Parameter p = j.member.parameter;
    if (old == null) {
      return StateTensor.of(p, rule.start(name, j.options, p.shape()));
    }
    return old.suits(p) ? old : StateTensor.copyFor(p, old);
  }

  private Batch<H> batch(Device device, List<Joining<O>> joining) {
    List<UpdateRule.Slot> slots = new ArrayList<>(joining.size());
    for (Joining<O> j : joining) {
      Map<String, Storage> storages = new LinkedHashMap<>();
      for (String name : j.needed) {
        StateTensor buffer = j.buffers.get(name);
        if (buffer != null) {
          storages.put(name, buffer.storage());
        }
      }
      Parameter p = j.member.parameter;
      slots.add(new UpdateRule.Slot(p.storage(), p.shape(), j.grad, storages));
    }
    return new Batch<>(kind, device, rule.prepare(device.backend(), slots), slots.size());
  }

  private static void settle(Batch<?> batch, List<? extends Joining<?>> joining) {
    for (int i = 0; i < joining.size(); i++) {
      Joining<?> j = joining.get(i);
      Member m = j.member;
      m.fresh |= j.buffers.size() > m.buffers.size();
      m.buffers = j.buffers;
      m.place = new Member.Place(batch, i, m.parameter.storage(), j.grad, j.needed);
    }
  }
}
