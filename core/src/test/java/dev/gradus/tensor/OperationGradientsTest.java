package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.Golden;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every operation against differences and against PyTorch, and that none is left out. */
class OperationGradientsTest {
  /** Float64 results of a few dozen operations: some hundred units of 2^-53. */
  private static final double TIGHT = 1e-12;

  /**
   * What differences cannot confirm: they need float64 all the way, and the padding row of a table
   * takes no gradient though the result depends on it.
   */
  private static final Set<String> NOT_BY_DIFFERENCES = Set.of("to float32", "embedding");

  private Device device;
  private Device elsewhere;
  private Scope scope;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    elsewhere = Device.over(new ReferenceBackend("elsewhere"));
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
    elsewhere.close();
  }

  @TestFactory
  Stream<DynamicTest> everyOperationEqualsPyTorch() {
    Map<String, Map<String, Object>> golden = OperationCases.golden();
    return OperationCases.all().stream()
        .map(c -> DynamicTest.dynamicTest(c.name(), () -> compare(c, golden.get(c.name()))));
  }

  private void compare(OperationCases.Case c, Map<String, Object> golden) {
    List<Tensor> inputs = inputs(golden);
    Tensor out = c.call(inputs, elsewhere);
    Map<String, Object> expected = Golden.map(Golden.get(golden, "out"));
    assertEquals(OperationCases.shape(expected), out.shape());
    assertEquals(Golden.text(Golden.get(expected, "dtype")), out.dtype().label());
    TensorAssert.assertClose(
        OperationCases.values(expected), Transfer.toDoubles(out), TIGHT, TIGHT);
    assertEquals(golden.containsKey("grads"), out.requiresGrad());
    if (out.requiresGrad()) {
      Tensor seed = GradCheck.weights(out).to(out.dtype());
      out.backward(seed);
      List<Object> grads = Golden.list(Golden.get(golden, "grads"));
      int i = 0;
      for (Tensor x : inputs) {
        if (x.requiresGrad()) {
          double[] grad = x.grad().toDoubleArray();
          TensorAssert.assertClose(Golden.doubles(grads.get(i++)), grad, TIGHT, TIGHT);
        }
      }
      assertEquals(grads.size(), i);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyGradientAgreesWithDifferences() {
    Map<String, Map<String, Object>> golden = OperationCases.golden();
    return OperationCases.all().stream()
        .filter(c -> golden.get(c.name()).containsKey("grads"))
        .filter(c -> !NOT_BY_DIFFERENCES.contains(c.name()))
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.name(),
                    () ->
                        GradCheck.check(
                            c.name(),
                            in -> c.call(in, elsewhere),
                            inputs(golden.get(c.name())).toArray(new Tensor[0]))));
  }

  /** Composed of {@code logSoftmax} and {@code nll}: the class loss with label smoothing. */
  @Test
  void smoothedClassLossEqualsPyTorch() {
    Map<String, Object> golden = OperationCases.golden().get("nll");
    List<Tensor> in = inputs(golden);
    Tensor out = in.get(0).logSoftmax(-1).nll("nll", in.get(1), 0.1, -100);
    double[] expected = OperationCases.values(Golden.map(Golden.get(golden, "out")));
    TensorAssert.assertClose(expected, out.toDoubleArray(), TIGHT, TIGHT);
    out.backward(GradCheck.weights(out));
    double[] grad = Golden.doubles(Golden.list(Golden.get(golden, "grads")).get(0));
    TensorAssert.assertClose(grad, in.get(0).grad().toDoubleArray(), TIGHT, TIGHT);
  }

  /** The mask of dropout is not PyTorch's; its gradient is the mask itself, scaled. */
  @Test
  void theGradientOfDropoutIsItsMask() {
    Tensor x = device.ones(DType.F64, 257).requiresGrad(true);
    Tensor y = x.dropout(0.3);
    y.sum().backward();
    TensorAssert.assertBits(y.toDoubleArray(), x.grad().toDoubleArray());
    double kept = y.ne(0).to(DType.F64).sum().item();
    assertTrue(kept > 140 && kept < 220, "kept " + kept + " of 257, a deviation of 7 from 180");
    assertEquals(kept / 0.7, y.sum().item(), 1e-9);
  }

  @Test
  void noPublicOperationIsLeftOut() {
    Set<String> missing = new TreeSet<>();
    Set<Method> called = new HashSet<>();
    OperationCases.all().forEach(c -> called.add(c.find()));
    for (Class<?> c : List.of(Operations.class, ShapeOperations.class)) {
      for (Method m : c.getDeclaredMethods()) {
        if (Modifier.isPublic(m.getModifiers()) && !m.isSynthetic() && !called.contains(m)) {
          missing.add(m.toString());
        }
      }
    }
    assertEquals(Set.of(), missing, "operations without a case in OperationCases");
  }

  @Test
  void noFunctionIsLeftOut() throws Exception {
    Set<String> recorded = new HashSet<>();
    Map<String, Map<String, Object>> golden = OperationCases.golden();
    for (OperationCases.Case c : OperationCases.all()) {
      collect(c.call(inputs(golden.get(c.name())), elsewhere), recorded);
    }
    collect(new CustomFunctionTest.Cube().apply(device.scalar(2).requiresGrad(true)), recorded);
    Set<String> missing = new TreeSet<>();
    for (Class<?> f : functions()) {
      if (!recorded.contains(f.getName())) {
        missing.add(f.getName());
      }
    }
    assertEquals(Set.of(), missing, "functions that no case of OperationCases records");
  }

  private static void collect(Tensor out, Set<String> recorded) {
    List<Function> open = new ArrayList<>();
    if (out.origin() != null) {
      open.add(out.origin());
    }
    while (!open.isEmpty()) {
      Function f = open.remove(open.size() - 1);
      recorded.add(f.getClass().getName());
      for (int i = 0; i < f.inputCount(); i++) {
        if (f.origin(i) != null) {
          open.add(f.origin(i));
        }
      }
    }
  }

  /** Every subclass of Function that the package's folder holds. */
  private static List<Class<?>> functions() throws URISyntaxException, IOException {
    List<Class<?>> found = new ArrayList<>();
    Path folder = Path.of(Function.class.getResource("Function.class").toURI()).getParent();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".class") && !name.equals("package-info.class")) {
          Class<?> c = load(name.substring(0, name.length() - ".class".length()));
          if (Function.class.isAssignableFrom(c) && !Modifier.isAbstract(c.getModifiers())) {
            found.add(c);
          }
        }
      }
    }
    assertFalse(found.size() < 20, "found only " + found);
    return found;
  }

  private static Class<?> load(String simpleName) {
    try {
      String name = Function.class.getPackageName() + "." + simpleName;
      return Class.forName(name, false, Function.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private List<Tensor> inputs(Map<String, Object> golden) {
    return OperationCases.inputs(device, golden);
  }
}
