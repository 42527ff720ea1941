package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.nn.Selection;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * An optimizer that still gets its first groups. A group's options are the optimizer's defaults
 * with the group's changes applied, so that what a group leaves alone is the default.
 *
 * <p>Parameters are chosen by the names of a model ({@code model.namedParameters().matching(…)}).
 * Of patterns that overlap, the earlier group wins; explicit lists must not overlap. Every
 * parameter of the models that groups are chosen from has to be in a group, unless {@link
 * #allowUnused()} is called.
 *
 * @param <O> the options of a group
 * @param <T> the optimizer
 */
public final class OptimizerBuilder<O extends OptimizerOptions<O>, T extends Optimizer<O>> {
  private final String kind;
  private final O defaults;
  private final Function<OptimizerBuilder<O, T>, T> maker;
  private final List<GroupRequest<O>> requests = new ArrayList<>();
  private boolean allowUnused;

  /**
   * A builder, for those who write an optimizer.
   *
   * @param kind the optimizer's name in messages and prints
   * @param defaults what the options of groups start from
   * @param maker calls the optimizer's constructor
   * @throws IllegalArgumentException if the defaults are null
   */
  public OptimizerBuilder(String kind, O defaults, Function<OptimizerBuilder<O, T>, T> maker) {
    if (defaults == null) {
      throw new IllegalArgumentException(
          kind
              + ": the change of the default options gave null; return the options that it is"
              + " given, or what their withers make of them");
    }
    this.kind = kind;
    this.defaults = defaults;
    this.maker = maker;
  }

  /** Adds a group of the named parameters chosen, with the default options. */
  public OptimizerBuilder<O, T> group(String name, Selection parameters) {
    return group(name, parameters, UnaryOperator.identity());
  }

  /**
   * Adds a group of the named parameters chosen.
   *
   * @param name alone in this optimizer
   * @param parameters chosen when the optimizer is built, in the order of groups
   * @param options from the defaults to the group's options
   * @throws IllegalArgumentException if a value is not allowed
   */
  public OptimizerBuilder<O, T> group(String name, Selection parameters, UnaryOperator<O> options) {
    requests.add(GroupRequest.of(name, parameters, ParamGroup.change(name, defaults, options)));
    return this;
  }

  /** Adds a group of the parameters listed, with the default options. */
  public OptimizerBuilder<O, T> group(String name, List<Parameter> parameters) {
    return group(name, parameters, UnaryOperator.identity());
  }

  /**
   * Adds a group of the parameters listed. They have the names of the models that other groups are
   * chosen from; one that has none there is named after the group and its index, {@code head.0}.
   *
   * @param name alone in this optimizer
   * @param parameters at least one, each once
   * @param options from the defaults to the group's options
   * @throws IllegalArgumentException if a value is not allowed
   */
  public OptimizerBuilder<O, T> group(
      String name, List<Parameter> parameters, UnaryOperator<O> options) {
    requests.add(GroupRequest.of(name, parameters, ParamGroup.change(name, defaults, options)));
    return this;
  }

  /**
   * Adds two groups of what no earlier group takes: {@code decay}, the matrices and tables (rank 2
   * and more), with the default options, and {@code no-decay}, the biases and the weights of norms
   * (rank 0 and 1), without weight decay.
   */
  public OptimizerBuilder<O, T> groupsByDecay(NamedParameters parameters) {
    return group("decay", rest(parameters, "rank >= 2", true))
        .group(
            "no-decay", rest(parameters, "rank < 2", false), OptimizerOptions::withoutWeightDecay);
  }

  /**
   * Adds a group for each layer, with a rate that falls from the output to the input: that of the
   * last layer is the default rate, that of each other {@code decay} times the rate of the layer
   * after it. The groups are {@code layer-0}, {@code layer-1}, …, from the input; what is in no
   * layer needs a group of its own.
   *
   * <p>Source: arXiv:1801.06146, section 3.2, where the decay is 1 / 2.6.
   *
   * @param layers a glob for each layer, from the input to the output
   * @param decay in (0, 1]
   * @throws IllegalArgumentException if there are no layers, or a value is not allowed; a layer
   *     that matches nothing is refused when the optimizer is built
   */
  public OptimizerBuilder<O, T> groupsByLayer(
      NamedParameters parameters, List<String> layers, double decay) {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException(
          kind + ".groupsByLayer: there are no layers; give a pattern for each");
    }
    if (!(decay > 0 && decay <= 1)) {
      throw new IllegalArgumentException(
          kind + ".groupsByLayer: decay must be in (0, 1] but is " + decay);
    }
    for (int i = 0; i < layers.size(); i++) {
      double factor = Math.pow(decay, layers.size() - 1 - i);
      group("layer-" + i, parameters.matching(layers.get(i)), o -> o.withLr(o.lr() * factor));
    }
    return this;
  }

  private static Selection rest(NamedParameters all, String description, boolean matrices) {
    return new Selection(
        all, Selection.Kind.OTHERS, description, (name, p) -> p.shape().rank() >= 2 == matrices);
  }

  /** Lets parameters be in no group; they are not trained. */
  public OptimizerBuilder<O, T> allowUnused() {
    allowUnused = true;
    return this;
  }

  /**
   * The optimizer.
   *
   * @throws IllegalArgumentException if there are no groups or no parameters, two groups have one
   *     name or one parameter, a pattern matches nothing that is left, or a parameter is in no
   *     group
   */
  public T build() {
    return maker.apply(this);
  }

  String kind() {
    return kind;
  }

  O defaults() {
    return defaults;
  }

  List<GroupRequest<O>> requests() {
    return requests;
  }

  boolean allowsUnused() {
    return allowUnused;
  }
}
