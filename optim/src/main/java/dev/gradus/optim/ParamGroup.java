package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A live group of parameters that share options: what is changed here takes effect at the next
 * step.
 *
 * <p>The rate has two fields. {@link #lr()} is the base rate, the user's; a schedule, where there
 * is one, makes of it {@link #lrNow()}, the rate in force. Without a schedule they are equal. Where
 * a schedule moves the momentum or beta1, it has the same two: that of {@link #options()}, and that
 * of {@link #optionsNow()}.
 *
 * @param <O> the options
 */
public final class ParamGroup<O extends OptimizerOptions<O>> {
  private final Optimizer<O> owner;
  private final String name;
  private final String selected;
  private final Map<String, Integer> shadowed;
  private final List<Member> members;
  private O options;
  private O inForce;
  private @Nullable ScheduleRun own;

  /**
   * A group.
   *
   * @param shadowed how many of what its pattern matches earlier groups took, by their names
   */
  ParamGroup(
      Optimizer<O> owner,
      GroupRequest<O> request,
      Map<String, Integer> shadowed,
      List<Member> members) {
    this.owner = owner;
    this.name = request.name();
    this.selected = request.selected();
    this.shadowed = shadowed;
    this.members = List.copyOf(members);
    this.options = request.options();
    this.inForce = options;
  }

  /** Its name, alone in its optimizer. */
  public String name() {
    return name;
  }

  /** Its parameters, in order. */
  public List<Parameter> parameters() {
    return members.stream().map(m -> m.parameter).toList();
  }

  /** The names of its parameters, in order. */
  public List<String> names() {
    return members.stream().map(m -> m.name).toList();
  }

  /** How its parameters were chosen: a pattern, {@code others}, {@code all}, or {@code list}. */
  public String selected() {
    return selected;
  }

  /** Its options as the user set them, the base rate among them. */
  public O options() {
    return options;
  }

  /**
   * Replaces options by hand.
   *
   * @param change from the present options to the new ones
   * @throws IllegalArgumentException if a value is not allowed, or there are no options; nothing is
   *     changed then
   * @throws IllegalStateException if a value changes that the schedule sets; nothing is changed
   *     then
   */
  public void options(UnaryOperator<O> change) {
    setOptions(change(name, options, change));
  }

  /**
   * Replaces all options, the base rate among them.
   *
   * @throws IllegalArgumentException if they are null
   * @throws IllegalStateException if a value changes that the schedule sets; nothing is changed
   *     then
   */
  public void setOptions(O changed) {
    if (changed == null) {
      throw new IllegalArgumentException(
          "group '" + name + "': the options are null; give those that the group shall have");
    }
    if (changed.lr() != options.lr()) {
      requireOwnRate();
    }
    Schedule schedule = schedule();
    if (schedule != null && schedule.movesMomentum() && schedule.setsRates()) {
      if (OptimizerOptions.momentumOf(changed) != OptimizerOptions.momentumOf(options)) {
        throw setByHand("momentum", schedule);
      }
    }
    takeOver(changed);
  }

  /** Takes options without asking the schedule. */
  void takeOver(O changed) {
    options = changed;
    inForce = changed;
  }

  private void requireOwnRate() {
    Schedule schedule = schedule();
    if (schedule != null && schedule.setsRates()) {
      throw setByHand("lr", schedule);
    }
  }

  private IllegalStateException setByHand(String option, Schedule schedule) {
    return new IllegalStateException(
        "group '"
            + name
            + "': "
            + option
            + " cannot be changed by hand while "
            + Schedules.text(schedule)
            + " sets it; "
            + (own == null ? "the optimizer's" : "the group's")
            + " clearSchedule() takes it off");
  }

  /** The base rate: what the user set. */
  public double lr() {
    return options.lr();
  }

  /**
   * Sets the base rate by hand.
   *
   * @param lr at least 0
   * @throws IllegalArgumentException if the value is not allowed; nothing is changed then
   * @throws IllegalStateException if the schedule has rates of its own, as {@link OneCycle}
   */
  public void setLr(double lr) {
    requireOwnRate();
    options(o -> o.withLr(lr));
  }

  /**
   * Multiplies the base rate by hand.
   *
   * @param factor at least 0
   * @throws IllegalArgumentException if the rate is then not allowed; nothing is changed then
   * @throws IllegalStateException if the schedule has rates of its own, as {@link OneCycle}
   */
  public void scaleLr(double factor) {
    setLr(lr() * factor);
  }

  /** The rate that the next step uses: the schedule's value for the base rate. */
  public double lrNow() {
    ScheduleRun run = run();
    return run == null ? options.lr() : run.rate(options.lr());
  }

  /**
   * The options that the next step uses: the user's, with what a schedule moves replaced.
   *
   * @throws IllegalArgumentException if the schedule gives a value that is not allowed
   */
  public O optionsNow() {
    ScheduleRun run = run();
    if (run == null) {
      return options;
    }
    double rate = run.rate(options.lr());
    double momentum = run.momentum(OptimizerOptions.momentumOf(options));
    if (inForce.lr() != rate || OptimizerOptions.momentumOf(inForce) != momentum) {
      inForce = scheduled(run, rate, momentum);
    }
    return inForce;
  }

  private O scheduled(ScheduleRun run, double rate, double momentum) {
    String base = "the base rate " + options.lr();
    try {
      O moved = change(name, options, o -> o.withLr(rate));
      if (run.schedule().movesMomentum()) {
        base = "the momentum " + OptimizerOptions.momentumOf(options);
        moved = change(name, moved, o -> withMomentum(o, momentum));
      }
      return moved;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          e.getMessage()
              + "; schedule "
              + Schedules.text(run.schedule())
              + " made it at step "
              + run.step()
              + " of "
              + base,
          e);
    }
  }

  @SuppressWarnings("unchecked") // options make options of their own type
  private static <O extends OptimizerOptions<O>> O withMomentum(O options, double momentum) {
    return (O) ((OptimizerOptions.WithMomentum<?>) options).withMomentum(momentum);
  }

  /** The schedule of its rate: its own, or the optimizer's; null where there is none. */
  public @Nullable Schedule schedule() {
    ScheduleRun run = run();
    return run == null ? null : run.schedule();
  }

  /** How far its schedule went, as {@link Schedule#rate} is told; 0 where there is none. */
  public long scheduleStep() {
    ScheduleRun run = run();
    return run == null ? 0 : run.step();
  }

  /**
   * Attaches a schedule of its own, at its step 0, in place of the one it had.
   *
   * @throws IllegalArgumentException if it is null, or moves a momentum that the options do not
   *     have
   */
  public void schedule(Schedule schedule) {
    own = ScheduleRun.start("group '" + name + "'", schedule, options);
  }

  /** Takes its own schedule off; that of the optimizer, where there is one, holds from now on. */
  public void clearSchedule() {
    own = null;
  }

  private @Nullable ScheduleRun run() {
    return own != null ? own : owner.run();
  }

  @Nullable ScheduleRun ownRun() {
    return own;
  }

  /** Lets another run decide, or none; gives the one that did before. */
  @Nullable ScheduleRun exchangeRun(@Nullable ScheduleRun other) {
    ScheduleRun before = own;
    own = other;
    return before;
  }

  List<Member> members() {
    return members;
  }

  Map<String, Integer> shadowed() {
    return shadowed;
  }

  /**
   * Applies a user's change of options; the message of a value that is not allowed names the group.
   */
  static <O> O change(String group, O options, UnaryOperator<O> change) {
    O changed;
    try {
      changed = change.apply(options);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("group '" + group + "': " + e.getMessage(), e);
    }
    if (changed == null) {
      throw new IllegalArgumentException(
          "group '"
              + group
              + "': its change of options gave null; return the options that it is given, or what"
              + " their withers make of them");
    }
    return changed;
  }

  /** The name, the rate in force and the size. */
  @Override
  public String toString() {
    return "group '"
        + name
        + "': lr "
        + PythonFormat.of(lrNow())
        + ", "
        + members.size()
        + (members.size() == 1 ? " parameter" : " parameters");
  }
}
