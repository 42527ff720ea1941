package dev.gradus.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Golden files: figures recorded from another implementation, read from {@code /golden} on the
 * class path. Objects are maps in the file's order, arrays lists, numbers {@link Double}, the rest
 * {@link String} and {@link Boolean}.
 */
public final class Golden {
  private Golden() {}

  /**
   * Reads one file.
   *
   * @param name as {@code optim_f64.json}
   * @throws IllegalArgumentException if there is no such file, or it is no JSON object
   */
  public static Map<String, Object> load(String name) {
    try (InputStream in = Golden.class.getResourceAsStream("/golden/" + name)) {
      if (in == null) {
        throw new IllegalArgumentException(
            "golden file '"
                + name
                + "' is not on the class path; put it in src/test/resources/golden");
      }
      return map(parse(new String(in.readAllBytes(), StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Reads a JSON text.
   *
   * @throws IllegalArgumentException naming the position, if it is malformed or holds a null
   */
  public static Object parse(String json) {
    return new JsonReader(json).document();
  }

  /** A value as an object of the file. */
  @SuppressWarnings("unchecked") // the reader makes no other maps
  public static Map<String, Object> map(Object value) {
    return (Map<String, Object>) is(Map.class, value);
  }

  /** The member of an object. */
  public static Object get(Map<String, Object> object, String key) {
    Object value = object.get(key);
    if (value == null) {
      throw new IllegalArgumentException(
          "golden object has no '" + key + "'; it has " + object.keySet());
    }
    return value;
  }

  /** A value as an array of the file. */
  @SuppressWarnings("unchecked") // the reader makes no other lists
  public static List<Object> list(Object value) {
    return (List<Object>) is(List.class, value);
  }

  /** A value as a text. */
  public static String text(Object value) {
    return is(String.class, value);
  }

  /** A value as a number: a JSON number, or a text with a hex float. */
  public static double number(Object value) {
    return value instanceof String hex ? hex(hex) : is(Double.class, value);
  }

  /**
   * A hex float as Python's {@code float.hex()} writes it, {@code nan} and {@code inf} included.
   */
  public static double hex(String text) {
    return switch (text) {
      case "nan" -> Double.NaN;
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  /** An array of numbers or hex floats. */
  public static double[] doubles(Object value) {
    List<Object> list = list(value);
    double[] d = new double[list.size()];
    for (int i = 0; i < d.length; i++) {
      d[i] = number(list.get(i));
    }
    return d;
  }

  /**
   * An array of numbers or hex floats, as floats.
   *
   * @throws IllegalArgumentException if a hex float is not exactly a float
   */
  public static float[] floats(Object value) {
    List<Object> list = list(value);
    float[] f = new float[list.size()];
    for (int i = 0; i < f.length; i++) {
      double d = number(list.get(i));
      f[i] = (float) d;
      if (list.get(i) instanceof String && f[i] != d && !Double.isNaN(d)) {
        throw new IllegalArgumentException("golden value " + list.get(i) + " is not a float");
      }
    }
    return f;
  }

  private static <T> T is(Class<T> type, Object value) {
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          "golden value is a "
              + value.getClass().getSimpleName()
              + ", not a "
              + type.getSimpleName());
    }
    return type.cast(value);
  }
}
