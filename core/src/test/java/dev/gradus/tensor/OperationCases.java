package dev.gradus.tensor;

import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Every public operation as a call that can be made by its name and the types of its arguments, so
 * that a test knows which of them it called. {@code golden/operations.json} has the operands, the
 * result and the gradients of each.
 */
final class OperationCases {
  /** In the arguments of a call: the i-th operand. */
  record In(int i) {}

  /** In the arguments of a call: a list of the first operands. */
  record Ins(int count) {}

  /** In the arguments of a call: the second device. */
  record Elsewhere() {}

  /** One call; the receiver of an instance method is the first operand. */
  record Case(String name, String method, List<Object> arguments) {
    Tensor call(List<Tensor> operands, Device elsewhere) {
      Method m = find();
      Object[] actual = arguments.stream().map(a -> actual(a, operands, elsewhere)).toArray();
      Object receiver = Modifier.isStatic(m.getModifiers()) ? null : operands.get(0);
      try {
        return (Tensor) m.invoke(receiver, actual);
      } catch (InvocationTargetException e) {
        throw new AssertionError(name + ": " + e.getCause(), e.getCause());
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }

    Method find() {
      Class<?>[] types = arguments.stream().map(Case::type).toArray(Class<?>[]::new);
      try {
        Method m = Tensor.class.getMethod(method, types);
        m.setAccessible(true);
        return m;
      } catch (NoSuchMethodException e) {
        throw new AssertionError("no operation " + method + Arrays.toString(types), e);
      }
    }

    private static Class<?> type(Object argument) {
      if (argument instanceof In) {
        return Tensor.class;
      }
      if (argument instanceof Ins) {
        return List.class;
      }
      if (argument instanceof Elsewhere) {
        return Device.class;
      }
      return switch (argument.getClass().getSimpleName()) {
        case "Integer" -> int.class;
        case "Long" -> long.class;
        case "Double" -> double.class;
        case "Boolean" -> boolean.class;
        default -> argument.getClass();
      };
    }

    private static Object actual(Object argument, List<Tensor> operands, Device elsewhere) {
      if (argument instanceof In in) {
        return operands.get(in.i);
      }
      if (argument instanceof Ins ins) {
        return operands.subList(0, ins.count);
      }
      return argument instanceof Elsewhere ? elsewhere : argument;
    }
  }

  private final Map<String, Case> cases = new LinkedHashMap<>();

  private OperationCases() {
    broadcasts();
    unary();
    comparisons();
    reductions();
    products();
    rows();
    shapes();
  }

  static List<Case> all() {
    return new ArrayList<>(new OperationCases().cases.values());
  }

  /** The golden cases by name. */
  static Map<String, Map<String, Object>> golden() {
    Map<String, Map<String, Object>> golden = new LinkedHashMap<>();
    for (Object o : Golden.list(Golden.get(Golden.load("operations.json"), "cases"))) {
      Map<String, Object> c = Golden.map(o);
      golden.put(Golden.text(Golden.get(c, "name")), c);
    }
    return golden;
  }

  /** The operands of a golden case on a device; the floating-point ones require gradients. */
  static List<Tensor> inputs(Device device, Map<String, Object> golden) {
    List<Tensor> inputs = new ArrayList<>();
    for (Object o : Golden.list(Golden.get(golden, "inputs"))) {
      Map<String, Object> input = Golden.map(o);
      DType dtype =
          switch (Golden.text(Golden.get(input, "dtype"))) {
            case "int64" -> DType.I64;
            case "bool" -> DType.BOOL;
            default -> DType.F64;
          };
      Tensor x = device.tensor(values(input)).to(dtype).reshape(shape(input).toArray());
      inputs.add(dtype.isFloating() ? x.requiresGrad(true) : x);
    }
    return inputs;
  }

  /** The shape of a golden tensor. */
  static Shape shape(Map<String, Object> tensor) {
    double[] sizes = Golden.doubles(Golden.get(tensor, "shape"));
    long[] dims = new long[sizes.length];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = (long) sizes[i];
    }
    return Shape.of(dims);
  }

  /** The values of a golden tensor. */
  static double[] values(Map<String, Object> tensor) {
    List<Object> list = Golden.list(Golden.get(tensor, "values"));
    double[] values = new double[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.get(i) instanceof Boolean b ? (b ? 1 : 0) : Golden.number(list.get(i));
    }
    return values;
  }

  private void add(String name, String method, Object... arguments) {
    if (cases.put(name, new Case(name, method, List.of(arguments))) != null) {
      throw new AssertionError("two cases are named " + name);
    }
  }

  private static In in(int i) {
    return new In(i);
  }

  private void broadcasts() {
    String[] shapes = {
      "[3, 4] [3, 4]",
      "[3, 4] [4]",
      "[3, 4] [3, 1]",
      "[3, 4] [1, 4]",
      "[3, 4] []",
      "[2, 3, 4] [3, 1]",
      "[4] [3, 4]",
      "[3, 1] [1, 4]",
      "[7] [7]",
      "[2, 1, 4] [5, 1]"
    };
    for (String op : List.of("add", "sub", "mul", "div", "pow", "maximum", "minimum")) {
      for (String pair : shapes) {
        add(op + " " + pair, op, in(1));
      }
    }
    add("where", "where", in(0), in(1), in(2));
    add("where broadcast", "where", in(0), in(1), in(2));
    add("where scalar", "where", in(0), in(1), in(2));
    add("maskedFill", "maskedFill", in(1), -2.5);
    add("binaryCrossEntropy", "binaryCrossEntropy", in(1));
  }

  private void unary() {
    add("add scalar", "add", 1.7);
    add("sub scalar", "sub", 1.7);
    add("rsub scalar", "rsub", 1.7);
    add("mul scalar", "mul", -1.3);
    add("div scalar", "div", 3.0);
    add("rdiv scalar", "rdiv", 3.0);
    add("pow scalar 2", "pow", 2.0);
    add("pow scalar 0", "pow", 0.0);
    add("pow scalar 2.5", "pow", 2.5);
    add("pow scalar -1", "pow", -1.0);
    add("rpow scalar", "rpow", 1.7);
    add("clamp", "clamp", -0.3, 0.4);
    add("clamp min", "clamp", -0.3, Double.POSITIVE_INFINITY);
    add("leakyRelu", "leakyRelu", 0.1);
    add("softplus", "softplus", 2.0, 1.5);
    add("scalar exp", "exp");
    for (String op :
        List.of(
            "neg",
            "exp",
            "log",
            "sqrt",
            "abs",
            "sigmoid",
            "tanh",
            "relu",
            "gelu",
            "geluTanh",
            "silu")) {
      add(op, op);
    }
  }

  private void comparisons() {
    Map<String, Map<String, Object>> golden = golden();
    for (String op : List.of("eq", "ne", "lt", "le", "gt", "ge")) {
      add(op, op, in(1));
      String torch = Golden.text(Golden.get(golden.get(op + " scalar"), "torch"));
      add(op + " scalar", op, Double.valueOf(torch.substring(torch.lastIndexOf(' ') + 1)));
    }
    add("argmax", "argmax", 1, false);
    add("argmin keep", "argmin", -1, true);
    add("argmax all", "argmax");
    add("argmin all", "argmin");
  }

  private void reductions() {
    add("sum all", "sum");
    add("sum 1", "sum", new int[] {1});
    add("sum 0 2", "sum", new int[] {0, 2});
    add("sum 0 1", "sum", new int[] {0, 1});
    add("sum keep", "sum", -2, true);
    add("sum keep all", "sum", new int[0], true);
    add("sum keep 0 2", "sum", new int[] {0, 2}, true);
    add("mean keep 0 2", "mean", new int[] {0, 2}, true);
    add("mean all", "mean");
    add("mean 0 2", "mean", new int[] {0, 2});
    add("mean keep", "mean", 1, true);
    add("var all", "var");
    add("var dims", "var", new int[] {0, 2}, 0, true);
    add("var dims drop", "var", new int[] {-1, 0}, 1, false);
    add("var dim", "var", 1, 0, true);
    add("var dim drop", "var", -1, 1, false);
    add("max all", "max");
    add("max dim", "max", 1, false);
    add("max keep", "max", -1, true);
    add("max dims", "max", new int[] {0, 2}, false);
    add("min dims", "min", new int[] {-1, 0}, true);
    add("min all", "min");
    add("min dim", "min", 0, false);
    add("min keep", "min", 1, true);
  }

  private void products() {
    for (String pair :
        List.of(
            "[3, 4] [4, 5]",
            "[2, 3, 4] [4, 5]",
            "[3, 4] [2, 4, 5]",
            "[2, 3, 4] [2, 4, 5]",
            "[2, 1, 3, 4] [5, 4, 2]",
            "[1, 1] [1, 1]",
            "[5, 2, 3, 4] [1, 4, 2]")) {
      add("matmul " + pair, "matmul", in(1));
    }
    add("linear", "linear", in(1));
    add("linear vector", "linear", in(1));
    add("linear bias", "linear", in(1), in(2));
  }

  private void rows() {
    add("softmax last", "softmax", -1);
    add("softmax first", "softmax", 0);
    add("softmax middle", "softmax", 1);
    add("softmax outer", "softmax", 0);
    add("logSoftmax last", "logSoftmax", -1);
    add("logSoftmax middle", "logSoftmax", 1);
    add("normalize 1", "normalize", 1, 1e-5);
    add("normalize 2", "normalize", 2, 1e-3);
    add("dropout 0", "dropout", 0.0);
    add("indexSelect", "indexSelect", 1, in(1));
    add("embedding", "embedding", "table", in(1), 2L);
    add("embedding plain", "embedding", "table", in(1), -1L);
    add("nll ignore", "nll", "nll", in(1), 0.0, -100L);
  }

  private void shapes() {
    add("reshape", "reshape", new long[] {4, -1});
    add("flatten all", "flatten");
    add("flatten 1 2", "flatten", 1, 2);
    add("unsqueeze", "unsqueeze", -2);
    add("squeeze", "squeeze", 1);
    add("transpose last", "transpose", 1, 2);
    add("transpose outer", "transpose", 0, 2);
    add("permute", "permute", new int[] {2, 0, 1});
    add("expand", "expand", new long[] {2, 3, 5});
    add("expand keep", "expand", new long[] {2, -1, 5});
    add("narrow", "narrow", 1, 1L, 2L);
    add("slice", "slice", 1, -3L, -1L);
    add("select", "select", 1, -1L);
    add("concat", "concat", new Ins(3), 1);
    add("stack", "stack", new Ins(2), -1);
    add("to float32", "to", DType.F32);
    add("to device", "to", new Elsewhere());
    add("copy", "copy");
  }
}
