package dev.gradus.optim;

import dev.gradus.nn.Parameter;
import dev.gradus.nn.Selection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A group as the user asked for it.
 *
 * @param name the group's name
 * @param selection the choice by names; null for an explicit list
 * @param list the parameters of an explicit list; empty for a selection
 * @param options its options
 */
record GroupRequest<O>(
    String name, @Nullable Selection selection, List<Parameter> list, O options) {

  static <O> GroupRequest<O> of(String name, Selection selection, O options) {
    return new GroupRequest<>(name, selection, List.of(), options);
  }

  static <O> GroupRequest<O> of(String name, List<Parameter> list, O options) {
    return new GroupRequest<>(name, null, List.copyOf(list), options);
  }

  String selected() {
    return selection == null ? "list" : selection.description();
  }
}
