package dev.gradus.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The text of a tensor, to the character as PyTorch prints it: four decimals, lines of 80
 * characters, and above 1,000 elements only the first and last three of each dimension.
 */
final class TensorPrinter {

  private static final int SUMMARY_THRESHOLD = 1000;
  private static final int EDGE_ITEMS = 3;
  private static final int LINE_WIDTH = 80;

  /** The dtypes that the values themselves show, so that no suffix names them. */
  private static final Set<String> EVIDENT_DTYPES = Set.of("float32", "int64", "bool");

  /**
   * What is printed behind the values.
   *
   * @param dtype the name of the dtype: {@code float32}, {@code float64}, {@code int64}, {@code
   *     bool}
   * @param device the device to name, such as {@code cuda:0}; null for the default device, which is
   *     not named
   * @param requiresGrad whether gradients are recorded; not printed where a gradFn is
   * @param gradFn the name of the function that made the tensor, such as {@code MulBackward0}; null
   *     for a leaf
   */
  record Traits(
      String dtype, @Nullable String device, boolean requiresGrad, @Nullable String gradFn) {}

  private final CellFormat cells;
  private final long[] dims;
  private final boolean summarize;
  private final StringBuilder text = new StringBuilder();

  private TensorPrinter(CellFormat cells, long[] dims, boolean summarize) {
    this.cells = cells;
    this.dims = dims;
    this.summarize = summarize;
  }

  /**
   * The text of a floating-point tensor.
   *
   * @param prefix what precedes the values, {@code tensor(}; its length is the indent of further
   *     lines
   * @param values all elements in row-major order; float32 values exactly as they are
   * @param dims the shape, as many elements as there are values
   */
  static String format(String prefix, double[] values, long[] dims, Traits traits) {
    int[] shown = shown(dims, values.length);
    return format(prefix, CellFormat.of(values, shown), values.length, dims, traits);
  }

  /** The text of an integer tensor; see {@link #format(String, double[], long[], Traits)}. */
  static String format(String prefix, long[] values, long[] dims, Traits traits) {
    int[] shown = shown(dims, values.length);
    return format(prefix, CellFormat.of(values, shown), values.length, dims, traits);
  }

  /** The text of a boolean tensor; see {@link #format(String, double[], long[], Traits)}. */
  static String format(String prefix, boolean[] values, long[] dims, Traits traits) {
    int[] shown = shown(dims, values.length);
    return format(prefix, CellFormat.of(values, shown), values.length, dims, traits);
  }

  private static String format(
      String prefix, CellFormat cells, int elements, long[] dims, Traits traits) {
    assert elements == product(dims, 0) : elements + " values for " + Arrays.toString(dims);
    TensorPrinter printer = new TensorPrinter(cells, dims, elements > SUMMARY_THRESHOLD);
    printer.text.append(prefix);
    if (elements == 0) {
      printer.text.append("[]");
    } else if (dims.length == 0) {
      printer.text.append(cells.padded(0));
    } else {
      printer.slice(0, 0, prefix.length());
    }
    printer.suffixes(suffixes(elements, dims, traits), prefix.length());
    return printer.text.append(')').toString();
  }

  private static int product(long[] dims, int fromDim) {
    long product = 1;
    for (int d = fromDim; d < dims.length; d++) {
      product *= dims[d];
    }
    return Math.toIntExact(product);
  }

  private static boolean cut(long size, boolean summarize) {
    return summarize && size > 2 * EDGE_ITEMS;
  }

  /** The positions along a dimension that are printed. */
  private static int[] positions(long size, boolean summarize) {
    int n = (int) size;
    if (!cut(n, summarize)) {
      return IntStream.range(0, n).toArray();
    }
    return IntStream.concat(IntStream.range(0, EDGE_ITEMS), IntStream.range(n - EDGE_ITEMS, n))
        .toArray();
  }

  /** The indices of the elements that are printed; they alone decide the format. */
  private static int[] shown(long[] dims, int elements) {
    if (elements <= SUMMARY_THRESHOLD) {
      return IntStream.range(0, elements).toArray();
    }
    int[] bases = {0};
    for (int d = 0; d < dims.length; d++) {
      int stride = product(dims, d + 1);
      int[] positions = positions(dims[d], true);
      int[] next = new int[bases.length * positions.length];
      for (int b = 0; b < bases.length; b++) {
        for (int p = 0; p < positions.length; p++) {
          next[b * positions.length + p] = bases[b] + positions[p] * stride;
        }
      }
      bases = next;
    }
    return bases;
  }

  /**
   * Appends the slice of dimension {@code dim} that begins at element {@code base}, in brackets.
   */
  private void slice(int dim, int base, int indent) {
    if (dim == dims.length - 1) {
      row(base, indent);
      return;
    }
    int stride = product(dims, dim + 1);
    int[] positions = positions(dims[dim], summarize);
    String separator = "," + "\n".repeat(dims.length - 1 - dim) + " ".repeat(indent + 1);
    text.append('[');
    for (int p = 0; p < positions.length; p++) {
      if (p > 0) {
        text.append(separator);
      }
      if (p == EDGE_ITEMS && cut(dims[dim], summarize)) {
        text.append("...").append(separator);
      }
      slice(dim + 1, base + positions[p] * stride, indent + 1);
    }
    text.append(']');
  }

  private void row(int base, int indent) {
    long size = dims[dims.length - 1];
    List<String> items = new ArrayList<>();
    for (int position : positions(size, summarize)) {
      items.add(cells.padded(base + position));
    }
    if (cut(size, summarize)) {
      items.add(EDGE_ITEMS, " ...");
    }
    int perLine = Math.max(1, (LINE_WIDTH - indent) / (cells.width() + 2));
    String lineBreak = ",\n" + " ".repeat(indent + 1);
    text.append('[');
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        text.append(i % perLine == 0 ? lineBreak : ", ");
      }
      text.append(items.get(i));
    }
    text.append(']');
  }

  private static List<String> suffixes(int elements, long[] dims, Traits traits) {
    List<String> suffixes = new ArrayList<>();
    if (traits.device != null) {
      suffixes.add("device='" + traits.device + "'");
    }
    boolean empty = elements == 0;
    if (empty && dims.length != 1) {
      suffixes.add("size=" + Arrays.toString(dims).replace('[', '(').replace(']', ')'));
    }
    // no element of an empty tensor can show that it is not float32
    if (empty ? !traits.dtype.equals("float32") : !EVIDENT_DTYPES.contains(traits.dtype)) {
      suffixes.add("dtype=torch." + traits.dtype);
    }
    if (traits.gradFn != null) {
      suffixes.add("grad_fn=<" + traits.gradFn + ">");
    } else if (traits.requiresGrad) {
      suffixes.add("requires_grad=True");
    }
    return suffixes;
  }

  private void suffixes(List<String> suffixes, int indent) {
    int lineLength = text.length() - text.lastIndexOf("\n") + 1;
    for (String suffix : suffixes) {
      if (lineLength + suffix.length() + 2 > LINE_WIDTH) {
        text.append(",\n").append(" ".repeat(indent)).append(suffix);
        lineLength = indent + suffix.length();
      } else {
        text.append(", ").append(suffix);
        lineLength += suffix.length() + 2;
      }
    }
  }
}
