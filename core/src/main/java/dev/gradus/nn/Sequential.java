package dev.gradus.nn;

import dev.gradus.tensor.Tensor;
import java.util.List;

/** Modules one after another: each takes the result of the one before it. */
public final class Sequential extends Module {

  /** A sequence of modules named {@code 0}, {@code 1}, …. */
  public Sequential(Module... modules) {
    for (Module m : modules) {
      add(m);
    }
  }

  /**
   * Adds a module at the end, named by its position.
   *
   * @return this
   */
  public Sequential add(Module module) {
    return add(String.valueOf(size()), module);
  }

  /**
   * Adds a module at the end.
   *
   * @return this
   * @throws IllegalArgumentException if the name is empty, has a dot, or is taken
   */
  public Sequential add(String name, Module module) {
    register(name, module);
    return this;
  }

  /** The module at a position, from 0. */
  public Module get(int index) {
    return List.copyOf(children().values()).get(index);
  }

  /** The number of modules. */
  public int size() {
    return children().size();
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor y = x;
    for (Module m : children().values()) {
      y = m.forward(y);
    }
    return y;
  }
}
