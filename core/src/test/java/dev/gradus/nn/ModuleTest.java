package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ModuleTest extends Fixture {

  /** The tied module of the oracle: a, b = a, w = a.weight; and a buffer. */
  private static final class Tied extends Module {
    final Linear a;
    final Parameter w;
    final Tensor count;

    Tied(Device device) {
      a = register("a", new Linear(device, 2, 1));
      register("b", a);
      w = registerParameter("w", a.weight());
      count = registerBuffer("count", device.tensor(new long[] {3}));
    }
  }

  private static final class Seed extends Module {
    final Embedding emb;
    final Linear linear;

    Seed(Device device) {
      emb = register("emb", new Embedding(device, 5, 5));
      linear = register("linear", new Linear(device, 5, 1));
    }

    @Override
    public Tensor forward(Tensor ids) {
      return linear.forward(emb.forward(ids)).sigmoid();
    }
  }

  /** Lets a test register what it likes. */
  private static final class Open extends Module {}

  @Test
  void namesStandInTheOrderOfRegistration() {
    Seed model = new Seed(device);
    assertEquals(
        List.of("emb.weight", "linear.weight", "linear.bias"), model.namedParameters().names());
    assertEquals(List.of("", "emb", "linear"), List.copyOf(model.namedModules().keySet()));
    assertEquals(List.of("emb", "linear"), List.copyOf(model.children().keySet()));
    assertEquals(
        List.of("gen.emb.weight", "gen.linear.weight", "gen.linear.bias"),
        model.namedParameters("gen.").names());
    assertEquals(3, model.parameters().size());
  }

  @Test
  void ownParametersComeBeforeThoseOfChildrenAndTiedOnesCountOnce() {
    Tied model = new Tied(device);
    assertEquals(List.of("w", "a.bias"), model.namedParameters().names());
    assertEquals(
        Map.of("a.weight", "w", "b.weight", "w", "b.bias", "a.bias"),
        model.namedParameters().aliases());
    assertEquals(
        List.of("w", "count", "a.weight", "a.bias", "b.weight", "b.bias"),
        List.copyOf(model.stateDict().keySet()));
    assertEquals(List.of("", "a"), List.copyOf(model.namedModules().keySet()));
    assertEquals(List.of("count"), List.copyOf(model.namedBuffers().keySet()));
    assertSame(model.count, model.namedBuffers().get("count"));
  }

  @Test
  void aBufferOutlivesTheScopeThatItWasMadeIn() {
    Tied model;
    try (Scope inner = Scope.open()) {
      model = new Tied(device);
      assertEquals(1, inner.size()); // the value that the buffer copied
    }
    assertArrayEquals(new long[] {3}, model.count.toLongArray());
  }

  // ---- registration

  @Test
  void wrongNamesAreRefused() {
    Open model = new Open();
    Linear linear = new Linear(device, 1, 1);
    refuses(
        "Open: module 'a.b' has a dot in its name; dots stand between the names of nested modules",
        () -> model.register("a.b", linear));
    refuses(
        "Open: parameter '' has no name; a name must not be empty",
        () -> model.registerParameter("", linear.weight()));
    refuses(
        "Open: buffer 'b.c' has a dot in its name; dots stand between the names of nested modules",
        () -> model.registerBuffer("b.c", device.zeros(1)));
    assertTrue(model.stateDict().isEmpty());
  }

  @Test
  void aNameIsTakenOnceAcrossParametersBuffersAndModules() {
    Open model = new Open();
    Linear linear = new Linear(device, 1, 1);
    model.register("m", linear);
    model.registerParameter("p", linear.weight());
    model.registerBuffer("b", device.zeros(1));
    refuses(
        "Open: parameter 'm' cannot be registered; there is already a module of this name",
        () -> model.registerParameter("m", linear.weight()));
    refuses(
        "Open: buffer 'p' cannot be registered; there is already a parameter of this name",
        () -> model.registerBuffer("p", device.zeros(1)));
    refuses(
        "Open: module 'b' cannot be registered; there is already a buffer of this name",
        () -> model.register("b", linear));
    refuses(
        "Open: module 'm' cannot be registered; there is already a module of this name",
        () -> model.register("m", linear));
  }

  @Test
  @SuppressWarnings({"NullAway", "DataFlowIssue"}) // what is refused is the null
  void nullIsRefused() {
    Open model = new Open();
    Module none = null;
    refuses("Open: module 'x' is null; register what exists", () -> model.register("x", none));
    refuses(
        "Open: parameter 'x' is null; register what exists",
        () -> model.registerParameter("x", null));
    refuses(
        "Open: buffer 'x' is null; register what exists", () -> model.registerBuffer("x", null));
  }

  @Test
  void aModuleCannotBeInsideItself() {
    Open outer = new Open();
    Open inner = new Open();
    outer.register("inner", inner);
    String text = "Open: module 'me' holds this module; a module cannot be inside itself";
    refuses(text, () -> outer.register("me", outer));
    refuses(text, () -> inner.register("me", outer));
  }

  @Test
  void aModuleWithoutForwardSaysSo() {
    Tensor x = device.zeros(1);
    refuses(
        UnsupportedOperationException.class,
        "Open: has no forward(Tensor); override it, or call the method that computes its result",
        () -> new Open().forward(x));
  }

  // ---- modes and gradients

  @Test
  void trainAndEvalReachEveryModule() {
    Sequential model = new Sequential(new Dropout(0.5), new Sequential(new Dropout(0.5)));
    assertTrue(model.isTraining());
    model.eval();
    model.namedModules().values().forEach(m -> assertFalse(m.isTraining()));
    model.train();
    model.namedModules().values().forEach(m -> assertTrue(m.isTraining()));
    model.train(false);
    assertFalse(model.get(1).isTraining());
  }

  @Test
  void freezingClearsTheGradient() {
    Seed model = new Seed(device);
    model.forward(ids(0, 1)).sum().backward();
    assertTrue(model.linear.weight().hasGrad());
    model.linear.requiresGrad(false);
    assertFalse(model.linear.weight().hasGrad());
    assertTrue(model.emb.weight().hasGrad());
    model.requiresGrad(true);
    assertFalse(model.linear.weight().hasGrad());
    model.zeroGrad();
    assertFalse(model.emb.weight().hasGrad());
    model.forward(ids(2)).sum().backward();
    assertTrue(model.linear.weight().hasGrad());
  }

  @Test
  void applyGoesFromTheInsideOutAndMeetsEachOnce() {
    Tied model = new Tied(device);
    List<Module> met = new ArrayList<>();
    model.apply(met::add);
    assertEquals(List.of(model.a, model), met);
  }

  // ---- moving

  @Test
  void movingKeepsParameterIdentityAndTies() {
    Tied model = new Tied(device);
    float[] before = model.w.toFloatArray();
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      model.to(other);
      assertSame(other, model.w.device());
      assertSame(other, model.count.device());
      assertSame(other, model.a.bias().device());
      assertSame(model.w, model.a.weight());
      assertTrue(model.w.requiresGrad());
      assertArrayEquals(before, model.w.toFloatArray());
      model.to(device);
    }
    assertArrayEquals(before, model.w.toFloatArray());
  }

  @Test
  void conversionLeavesIntegerBuffers() {
    Tied model = new Tied(device);
    float before = model.w.toFloatArray()[0];
    model.to(DType.F64);
    assertEquals(DType.F64, model.a.bias().dtype());
    assertEquals(DType.I64, model.count.dtype());
    assertEquals(before, model.w.toDoubleArray()[0]);
    refuses("Tied: cannot be int64; parameters are float32 or float64", () -> model.to(DType.I64));
  }

  // ---- state

  @Test
  void stateIsAliveAndLoadsIntoAnother() {
    Tied from = new Tied(device);
    Tied into = new Tied(device);
    from.count.copyFrom(ids(9));
    into.loadStateDict(from.stateDict());
    assertArrayEquals(from.w.toFloatArray(), into.w.toFloatArray());
    assertArrayEquals(new long[] {9}, into.count.toLongArray());
    assertNotSame(from.w, into.w);
    assertTrue(into.w.requiresGrad());
    assertSame(into.w, into.stateDict().get("b.weight"));
  }

  @Test
  void stateLoadsFromAnotherDevice() {
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      Seed from = new Seed(other);
      Seed into = new Seed(device);
      into.loadStateDict(from.stateDict());
      assertArrayEquals(from.emb.weight().toFloatArray(), into.emb.weight().toFloatArray());
      assertSame(device, into.emb.weight().device());
    }
  }

  @Test
  void aTiedParameterNeedsOneOfItsNames() {
    Tied model = new Tied(device);
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("a.weight", device.ones(1, 2));
    state.put("b.bias", device.ones(1));
    state.put("count", ids(1));
    model.loadStateDict(state);
    assertArrayEquals(new float[] {1, 1}, model.w.toFloatArray());
  }

  @Test
  void oneErrorListsEverythingAndNothingIsLoaded() {
    Seed model = new Seed(device);
    float[] before = model.emb.weight().toFloatArray();
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("emb.weight", device.zeros(5, 5));
    state.put("linear.weight", device.zeros(DType.F64, 2, 5));
    state.put("foo.bar", device.zeros(1));
    state.put("foo.baz", device.zeros(1));
    refuses(
        """
        loadStateDict: the state does not fit Seed; nothing was loaded
          missing: 'linear.bias'
          unexpected: 'foo.bar'
          unexpected: 'foo.baz'
          shape of 'linear.weight': [2, 5]; the model has [1, 5]
          type of 'linear.weight': float64; the model has float32\
        """,
        () -> model.loadStateDict(state));
    assertArrayEquals(before, model.emb.weight().toFloatArray());
    refuses(
        """
        loadStateDict: the state does not fit Seed; nothing was loaded
          shape of 'linear.weight': [2, 5]; the model has [1, 5]
          type of 'linear.weight': float64; the model has float32
          leniently, only names may differ: take these out of the state to keep the model's values\
        """,
        () -> model.loadStateDict(state, Strictness.LENIENT));
    assertArrayEquals(before, model.emb.weight().toFloatArray());
  }

  @Test
  void aReleasedTensorIsRefusedBeforeTheFirstWrite() {
    Seed model = new Seed(device);
    float[] before = model.emb.weight().toFloatArray();
    Map<String, Tensor> state = new LinkedHashMap<>(new Seed(device).stateDict());
    Tensor dead = device.zeros(1);
    dead.close();
    state.put("linear.bias", dead);
    assertThrows(IllegalStateException.class, () -> model.loadStateDict(state));
    assertArrayEquals(before, model.emb.weight().toFloatArray());
  }

  @Test
  void lenientLoadingReportsWhatItLeft() {
    Seed model = new Seed(device);
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("linear.bias", device.ones(1));
    state.put("foo", device.ones(1));
    LoadResult result = model.loadStateDict(state, Strictness.LENIENT);
    assertEquals(List.of("emb.weight", "linear.weight"), result.missing());
    assertEquals(List.of("foo"), result.unexpected());
    assertFalse(result.isComplete());
    assertArrayEquals(new float[] {1}, model.linear.bias().toFloatArray());
    assertTrue(model.loadStateDict(model.stateDict(), Strictness.LENIENT).isComplete());
  }
}
