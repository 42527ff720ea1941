package dev.gradus.nn;

import dev.gradus.tensor.CapturedStep;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A part of a model: parameters, buffers and further modules, each registered under a name, and a
 * computation with them.
 *
 * <pre>{@code
 * final class Net extends Module {
 *   final Linear hidden;
 *   final Linear out;
 *   Net(Device device) {
 *     hidden = register("hidden", new Linear(device, 8, 16));
 *     out = register("out", new Linear(device, 16, 1));
 *   }
 *   @Override public Tensor forward(Tensor x) {
 *     return out.forward(hidden.forward(x).tanh());
 *   }
 * }
 * }</pre>
 *
 * <p>What is in a field but not registered is not trained, moved or saved. Import the class by its
 * name: with {@code dev.gradus.nn.*} alone it meets {@code java.lang.Module}.
 *
 * <p>Names are joined by dots: {@code hidden.weight}. They stand in the order of registration, a
 * module's own parameters before those of its children. What is registered under several names (a
 * tied parameter or module) counts once, under the first. Any number of threads may run {@code
 * forward} of a model in evaluation at once; everything else is for one thread at a time.
 */
public abstract class Module {
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, ModuleBuffer> buffers = new LinkedHashMap<>();
  private final Map<String, Module> children = new LinkedHashMap<>();
  private boolean training = true;
  private @Nullable String name;

  /** A module in training mode, with nothing in it. */
  protected Module() {}

  /**
   * Computes the result for an input. A module with other inputs has a method of its own.
   *
   * @throws UnsupportedOperationException if the module does not override it
   */
  public Tensor forward(Tensor x) {
    throw new UnsupportedOperationException(
        typeName()
            + ": has no forward(Tensor); override it, or call the method that computes its result");
  }

  // ---- registration

  /**
   * Adds a child.
   *
   * @param name not empty, without dots, new in this module
   * @return the module itself
   * @throws IllegalArgumentException if the name is refused, or the module is this or holds this
   */
  protected final <M extends Module> M register(String name, M module) {
    requireNew("module", name, module);
    if (module.namedModules().containsValue(this)) {
      throw new IllegalArgumentException(
          typeName()
              + ": module '"
              + name
              + "' holds this module; a module cannot be inside itself");
    }
    children.put(name, module);
    Module child = module;
    if (child.name == null) {
      child.name = name;
    }
    return module;
  }

  /**
   * Adds a parameter.
   *
   * @param name not empty, without dots, new in this module
   * @return the parameter itself
   * @throws IllegalArgumentException if the name is refused
   */
  protected final Parameter registerParameter(String name, Parameter parameter) {
    requireNew("parameter", name, parameter);
    parameters.put(name, parameter);
    CapturedStep.recordAnew();
    return parameter;
  }

  /**
   * Adds a buffer: values that are not trained, but move and are saved with the module.
   *
   * @param name not empty, without dots, new in this module
   * @param initial what it starts with, copied
   * @return the buffer, which lives as long as it is referenced; write it with {@code copyFrom}
   * @throws IllegalArgumentException if the name is refused
   */
  protected final Tensor registerBuffer(String name, Tensor initial) {
    requireNew("buffer", name, initial);
    ModuleBuffer buffer = new ModuleBuffer(initial);
    buffers.put(name, buffer);
    return buffer;
  }

  private void requireNew(String what, String name, @Nullable Object value) {
    String who = typeName() + ": " + what + " '" + name + "' ";
    if (value == null) {
      throw new IllegalArgumentException(who + "is null; register what exists");
    }
    if (name.isEmpty()) {
      throw new IllegalArgumentException(who + "has no name; a name must not be empty");
    }
    if (name.indexOf('.') >= 0) {
      throw new IllegalArgumentException(
          who + "has a dot in its name; dots stand between the names of nested modules");
    }
    String taken =
        parameters.containsKey(name)
            ? "parameter"
            : buffers.containsKey(name) ? "buffer" : children.containsKey(name) ? "module" : "";
    if (!taken.isEmpty()) {
      throw new IllegalArgumentException(
          who + "cannot be registered; there is already a " + taken + " of this name");
    }
  }

  // ---- what is in it

  /** The parameters of this module and of those in it, by name. */
  public final NamedParameters namedParameters() {
    return namedParameters("");
  }

  /**
   * The parameters by name, each name with something in front of it: two models in one optimizer
   * take a prefix each.
   *
   * @param prefix as {@code "gen."}
   */
  public final NamedParameters namedParameters(String prefix) {
    List<Map.Entry<String, Parameter>> all = new ArrayList<>();
    walk(
        prefix, (at, module) -> module.parameters.forEach((n, p) -> all.add(Map.entry(at + n, p))));
    return NamedParameters.of(all);
  }

  /** The parameters of this module and of those in it, each once. */
  public final List<Parameter> parameters() {
    return namedParameters().parameters();
  }

  /** The buffers of this module and of those in it, by name, each once. */
  public final Map<String, Tensor> namedBuffers() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    Set<Tensor> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    walk(
        "",
        (at, module) ->
            module.buffers.forEach(
                (n, b) -> {
                  if (seen.add(b)) {
                    all.put(at + n, b);
                  }
                }));
    return all;
  }

  /** This module, named {@code ""}, and those in it, depth first, each once. */
  public final Map<String, Module> namedModules() {
    Map<String, Module> all = new LinkedHashMap<>();
    Set<Module> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    walk(
        "",
        (at, module) -> {
          if (seen.add(module)) {
            all.put(at.isEmpty() ? "" : at.substring(0, at.length() - 1), module);
          }
        });
    return all;
  }

  /** The modules registered in this one, by name. */
  public final Map<String, Module> children() {
    return Collections.unmodifiableMap(children);
  }

  /** What is done with a module; {@code at} is its name and a dot, or nothing for the root. */
  private interface Visitor {
    void visit(String at, Module module);
  }

  private void walk(String at, Visitor visitor) {
    visitor.visit(at, this);
    children.forEach((n, child) -> child.walk(at + n + ".", visitor));
  }

  /** The name under which it was first registered; null before. */
  final @Nullable String registeredName() {
    return name;
  }

  // ---- modes and gradients

  /** Sets this and all modules in it to training mode. */
  public final void train() {
    train(true);
  }

  /** Sets this and all modules in it to evaluation mode: dropout does nothing. */
  public final void eval() {
    train(false);
  }

  /** Sets this and all modules in it to training mode, or to evaluation mode. */
  public final void train(boolean training) {
    apply(
        module -> {
          if (module.training != training) {
            CapturedStep.recordAnew();
          }
          module.training = training;
        });
  }

  /** Whether it is in training mode. */
  public final boolean isTraining() {
    return training;
  }

  /**
   * Freezes every parameter, or unfreezes it. A frozen one gets no gradient, and what it had is
   * cleared, so that no optimizer moves it.
   */
  public final void requiresGrad(boolean required) {
    parameters().forEach(p -> p.requiresGrad(required));
  }

  /** Forgets the gradients of all parameters. */
  public final void zeroGrad() {
    parameters().forEach(Parameter::zeroGrad);
  }

  /** Does something with every module in this one, each once, inner ones first, this last. */
  public final void apply(Consumer<Module> action) {
    apply(action, Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  private void apply(Consumer<Module> action, Set<Module> seen) {
    if (seen.add(this)) {
      children.values().forEach(child -> child.apply(action, seen));
      action.accept(this);
    }
  }

  // ---- moving

  /**
   * Moves all parameters and buffers to a device. They stay the same objects; gradients are
   * forgotten. If the device cannot take them all, nothing is moved.
   */
  public final void to(Device device) {
    ModuleState.replaceAll(this, t -> t.to(device));
  }

  /**
   * Converts all parameters, and the buffers of floating type, to a type. They stay the same
   * objects; gradients are forgotten.
   *
   * @param dtype float32 or float64
   * @throws IllegalArgumentException if it is another type
   */
  public final void to(DType dtype) {
    if (!dtype.isFloating()) {
      throw new IllegalArgumentException(
          typeName() + ": cannot be " + dtype.label() + "; parameters are float32 or float64");
    }
    ModuleState.replaceAll(this, t -> t.dtype().isFloating() ? t.to(dtype) : t);
  }

  // ---- state

  /**
   * All parameters and buffers by name, tied ones under each of their names. They are the living
   * ones: what is written into them changes the model; {@code copy()} them to keep them as they
   * are.
   */
  public final Map<String, Tensor> stateDict() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    walk(
        "",
        (at, module) -> {
          module.parameters.forEach((n, p) -> all.put(at + n, p));
          module.buffers.forEach((n, b) -> all.put(at + n, b));
        });
    return all;
  }

  /** Overwrites all parameters and buffers: {@link #loadStateDict(Map, Strictness)}, strict. */
  public final void loadStateDict(Map<String, ? extends Tensor> state) {
    ModuleState.load(this, state, Strictness.STRICT);
  }

  /**
   * Overwrites parameters and buffers with values by name, from any device. A tied parameter needs
   * only one of its names; where it has several, the last counts.
   *
   * @param strictness what is done about names that only one side has
   * @return the names that only one side has
   * @throws IllegalArgumentException if a shape or type differs or, strictly, a name is missing or
   *     unexpected: one text lists them all, and nothing is overwritten
   */
  public final LoadResult loadStateDict(
      Map<String, ? extends Tensor> state, Strictness strictness) {
    return ModuleState.load(this, state, strictness);
  }

  // ---- printing

  /**
   * What is printed in the brackets after the module's type, as {@code in_features=5,
   * out_features=3}; several lines are allowed.
   */
  protected String describe() {
    return "";
  }

  /** The type's name in prints and messages. */
  final String typeName() {
    String simple = getClass().getSimpleName();
    return simple.isEmpty() ? "Module" : simple;
  }

  /** The module and those in it as PyTorch prints them. */
  @Override
  public String toString() {
    return ModulePrinter.print(this);
  }
}
