package dev.gradus.optim;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A value for each option of a group under PyTorch's name, of the type that {@link
 * OptimizerOptions#entries()} gives it: what options are made of that were read from a file.
 */
public final class OptionValues {
  /** What stands for no value: of numbers NaN. */
  static final String NONE = "None";

  private final SortedMap<String, Object> values;

  private OptionValues(SortedMap<String, Object> values) {
    this.values = values;
  }

  /**
   * The values of options with some of them replaced. A whole number may stand for a number.
   *
   * @throws IllegalArgumentException if a name is unknown or a value is of another type; the text
   *     lists them all
   */
  static OptionValues of(OptimizerOptions<?> options, Map<String, ?> changes) {
    SortedMap<String, Object> values = new TreeMap<>(options.entries());
    List<String> problems = new ArrayList<>();
    changes.forEach(
        (name, given) -> {
          Object value = given == null ? NONE : given;
          if (!values.containsKey(name)) {
            problems.add(
                "unknown option '"
                    + name
                    + "'; there are "
                    + SelectionErrors.quoted(List.copyOf(values.keySet())));
          } else if (!suits(values.get(name), value)) {
            problems.add(
                "option '"
                    + name
                    + "' cannot be "
                    + PythonFormat.of(value)
                    + "; it takes values like "
                    + PythonFormat.of(values.get(name)));
          } else {
            values.put(name, value);
          }
        });
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
    return new OptionValues(values);
  }

  /** Whether a value may be of the kind of another: for none, only the option knows. */
  private static boolean suits(Object present, Object given) {
    if (present.equals(NONE) || given.equals(NONE)) {
      return true;
    }
    if (present instanceof List<?> some && given instanceof List<?> others) {
      boolean suits = some.size() == others.size();
      for (int i = 0; suits && i < some.size(); i++) {
        suits = suits(some.get(i), others.get(i));
      }
      return suits;
    }
    return present instanceof Number
        ? given instanceof Number
        : present.getClass().isInstance(given);
  }

  /** A number. */
  public double number(String name) {
    return number(name, value(name));
  }

  /** A number of a tuple. */
  public double number(String name, int index) {
    return number(name, as(List.class, name, value(name)).get(index));
  }

  private static double number(String name, Object value) {
    return value.equals(NONE) ? Double.NaN : as(Number.class, name, value).doubleValue();
  }

  /**
   * A whole number.
   *
   * @throws IllegalArgumentException if it is none, or too great for an int
   */
  public int whole(String name) {
    double x = number(name);
    if (x != (int) x) {
      throw new IllegalArgumentException(
          "option '"
              + name
              + "' must be a whole number of at most "
              + Integer.MAX_VALUE
              + " but is "
              + PythonFormat.of(x));
    }
    return (int) x;
  }

  /** A truth. */
  public boolean flag(String name) {
    return as(Boolean.class, name, value(name));
  }

  /** A word, {@code None} where it is none. */
  public String word(String name) {
    return as(String.class, name, value(name));
  }

  private static <T> T as(Class<T> type, String name, Object value) {
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          "option '"
              + name
              + "' cannot be "
              + (value instanceof String word ? "'" + word + "'" : PythonFormat.of(value)));
    }
    return type.cast(value);
  }

  private Object value(String name) {
    Object value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "options: there is no '" + name + "'; entries() gives " + values.keySet());
    }
    return value;
  }
}
