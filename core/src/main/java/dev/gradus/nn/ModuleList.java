package dev.gradus.nn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/**
 * Modules in a list, named {@code 0}, {@code 1}, …; the module that holds it calls them.
 *
 * @param <M> what they are
 */
public final class ModuleList<M extends Module> extends Module implements Iterable<M> {
  private final List<M> list = new ArrayList<>();

  /** A list without modules. */
  public ModuleList() {}

  /** A list of these modules. */
  public ModuleList(List<? extends M> modules) {
    modules.forEach(this::add);
  }

  /**
   * Adds a module at the end.
   *
   * @return this
   */
  public ModuleList<M> add(M module) {
    list.add(register(String.valueOf(list.size()), module));
    return this;
  }

  /** The module at a position, from 0. */
  public M get(int index) {
    return list.get(index);
  }

  /** The number of modules. */
  public int size() {
    return list.size();
  }

  /** The modules in order. */
  @Override
  public Iterator<M> iterator() {
    return Collections.unmodifiableList(list).iterator();
  }
}
