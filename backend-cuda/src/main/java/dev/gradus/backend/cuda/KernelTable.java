package dev.gradus.backend.cuda;

import dev.gradus.types.DType;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * The kernels of a family of operations, one for each operation and type, found by their names: the
 * operation's in small letters, what the family adds, and the type's.
 *
 * @param <E> the operations
 */
final class KernelTable<E extends Enum<E>> {
  private final Map<E, Map<DType, Kernel>> kernels;

  /**
   * A family.
   *
   * @param operations the operations' class
   * @param family what stands behind the operation's name, as {@code _grad}; may be empty
   */
  KernelTable(Kernels all, Class<E> operations, String family) {
    kernels = new EnumMap<>(operations);
    for (E op : operations.getEnumConstants()) {
      Map<DType, Kernel> byType = new EnumMap<>(DType.class);
      for (DType dtype : DType.values()) {
        Kernel kernel = all.find(name(op) + family + "_" + suffix(dtype));
        if (kernel != null) {
          byType.put(dtype, kernel);
        }
      }
      kernels.put(op, byType);
    }
  }

  /**
   * The kernel of an operation on a type.
   *
   * @throws UnsupportedOperationException if the operation does not take the type
   */
  Kernel get(E op, DType dtype) {
    Map<DType, Kernel> byType = kernels.get(op);
    Kernel kernel = byType == null ? null : byType.get(dtype);
    if (kernel == null) {
      throw unsupported(name(op), dtype);
    }
    return kernel;
  }

  /** What an operation is called in kernels' names and in messages. */
  static String name(Enum<?> op) {
    return op.name().toLowerCase(Locale.ROOT);
  }

  /** What a type is called in kernels' names. */
  static String suffix(DType dtype) {
    return switch (dtype) {
      case F32 -> "f32";
      case F64 -> "f64";
      case I64 -> "i64";
      case BOOL -> "bool";
    };
  }

  /** What the size of an element is called in the names of kernels that ask for no more. */
  static String sizeSuffix(int bytes) {
    return "b" + bytes * Byte.SIZE;
  }

  /** The error for a type that an operation lacks. */
  static UnsupportedOperationException unsupported(String op, DType dtype) {
    return new UnsupportedOperationException("cuda: " + op + " does not take " + dtype.label());
  }
}
