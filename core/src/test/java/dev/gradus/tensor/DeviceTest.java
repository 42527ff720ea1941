package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // scopes are open for their effect
class DeviceTest {
  private static final String CLOSED =
      "device 'reference' is closed; tensors end with their device";

  private ReferenceBackend backend;
  private Device device;

  @BeforeEach
  void open() {
    backend = new ReferenceBackend("reference");
    device = Device.over(backend);
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static void refused(String text, Runnable r) {
    Exception e = assertThrows(RuntimeException.class, r::run);
    assertEquals(text, e.getMessage());
  }

  // ---- making tensors

  @Test
  void tensorsAreMadeFromValuesRowByRow() {
    Tensor x = device.tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    assertEquals(Shape.of(2, 3), x.shape());
    assertEquals(3, x.size(-1));
    assertEquals(DType.F32, x.dtype());
    assertSame(device, x.device());
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, x.toFloatArray());
    assertEquals(Shape.of(2), device.tensor(new double[] {1, 2}).shape());
    assertArrayEquals(new long[] {4, -5}, device.tensor(new long[] {4, -5}).toLongArray());
    boolean[] truth = {true, false, true};
    assertArrayEquals(truth, device.tensor(truth).toBooleanArray());
    Tensor rows = device.tensor(new float[][] {{1, 2}, {3, 4}, {5, 6}});
    assertEquals(Shape.of(3, 2), rows.shape());
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, rows.toFloatArray());
    assertEquals(Shape.of(0, 0), device.tensor(new float[0][]).shape());
    assertEquals(Shape.of(0), device.tensor(new float[0]).shape());
    assertEquals(Shape.scalar(), device.scalar(2.5).shape());
    assertEquals(2.5, device.scalar(2.5).item());
  }

  @Test
  void valuesInAShapeMayBeAScalar() {
    assertEquals(Shape.scalar(), device.tensor(new float[] {2}, Shape.scalar()).shape());
    assertEquals(2, device.tensor(new double[] {2}, Shape.scalar()).item());
    assertEquals(2, device.tensor(new long[] {2}, Shape.scalar()).itemLong());
    assertEquals(1, device.tensor(new boolean[] {true}, Shape.scalar()).item());
    assertEquals(Shape.of(2, 1), device.tensor(new float[2], Shape.of(2, 1)).shape());
    refused(
        "tensor: 2 values do not fill the shape [] of 1 elements",
        () -> device.tensor(new float[2], Shape.scalar()));
  }

  @Test
  void aTensorDoesNotShareItsValuesWithTheArray() {
    float[] values = {1, 2};
    Tensor x = device.tensor(values);
    values[0] = 9;
    x.toFloatArray()[1] = 9;
    assertArrayEquals(new float[] {1, 2}, x.toFloatArray());
  }

  @Test
  void tensorsAreMadeByRules() {
    assertArrayEquals(new float[] {0, 0}, device.zeros(2).toFloatArray());
    assertArrayEquals(new long[] {1, 1}, device.ones(DType.I64, 2).toLongArray());
    assertArrayEquals(new boolean[] {true}, device.full(DType.BOOL, 1, 1).toBooleanArray());
    assertArrayEquals(new double[] {0, 0}, device.zeros(DType.F64, 1, 2).toDoubleArray());
    assertArrayEquals(new long[] {0, 1, 2}, device.arange(3).toLongArray());
    assertArrayEquals(new long[] {-1, 0, 1}, device.arange(-1, 2).toLongArray());
    assertEquals(0, device.arange(0).numel());
  }

  @Test
  void valuesThatDoNotFillTheShapeAreRefused() {
    refused(
        "tensor: 3 values do not fill the shape [2, 2] of 4 elements",
        () -> device.tensor(new float[3], 2, 2));
    refused(
        "tensor: row 1 has 1 values but row 0 has 2; rows must have one length",
        () -> device.tensor(new float[][] {{1, 2}, {3}}));
    refused("arange: end must be >= start but they are 1 and 2", () -> device.arange(2, 1));
    refused("randperm: n must be >= 0 but is -1", () -> device.randperm(-1));
    String most = " elements; a Java array takes at most 2147483639; ";
    refused(
        "arange: [-9223372036854775808, 9223372036854775807) has 18446744073709551615"
            + most
            + "make it in parts",
        () -> device.arange(Long.MIN_VALUE, Long.MAX_VALUE));
    refused(
        "arange: [0, 8589934592) has 8589934592" + most + "make it in parts",
        () -> device.arange(1L << 33));
    refused(
        "randint: a tensor [8589934592] has 8589934592" + most + "draw it in parts",
        () -> device.randint(0, 2, 1L << 33));
    refused("uniform: draws float32 or float64, not int64", () -> device.uniform(DType.I64, 0, 1));
    refused("normal: draws float32 or float64, not bool", () -> device.normal(DType.BOOL, 0, 1));
    assertEquals(0, device.bytesInUse());
  }

  @Test
  void valuesAreReadInTheTensorsOwnType() {
    Tensor x = device.ones(2);
    refused(
        "toDoubleArray: the tensor is float32, not float64; convert it with to(dtype)",
        x::toDoubleArray);
    refused(
        "toLongArray: the tensor is float32, not int64; convert it with to(dtype)", x::toLongArray);
    refused(
        "toBooleanArray: the tensor is float32, not bool; convert it with to(dtype)",
        x::toBooleanArray);
    refused(
        "toFloatArray: the tensor is int64, not float32; convert it with to(dtype)",
        device.arange(2)::toFloatArray);
    refused("item: tensor [2] has 2 elements; item() reads exactly one", x::item);
    refused(
        "itemLong: the tensor is float32, not int64; convert it with to(dtype)",
        device.scalar(1)::itemLong);
    refused(
        "itemLong: tensor [2] has 2 elements; itemLong() reads exactly one",
        device.arange(2)::itemLong);
    long beyond = (1L << 53) + 1;
    assertEquals(beyond, device.tensor(new long[] {beyond}).itemLong());
    refused("item: tensor [0] has 0 elements; item() reads exactly one", device.zeros(0)::item);
    assertEquals(1, device.full(DType.BOOL, 1).item());
    assertEquals(7, device.full(DType.I64, 7, 1, 1).item());
  }

  // ---- chance

  @Test
  void oneSeedGivesTheSameNumbersAgainAndOnEveryDevice() {
    device.manualSeed(5);
    float[] first = draws(device);
    assertFalse(Arrays.equals(first, draws(device)));
    device.manualSeed(5);
    assertArrayEquals(first, draws(device));
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      other.manualSeed(5);
      assertArrayEquals(first, draws(other));
    }
  }

  private static float[] draws(Device device) {
    List<Tensor> all =
        List.of(
            device.rand(5),
            device.randn(17),
            device.randint(0, 100, 3).to(DType.F32),
            device.randperm(6).to(DType.F32),
            device.uniform(DType.F64, -1, 1, 3).to(DType.F32),
            device.normal(DType.F64, 3, 2, 3).to(DType.F32),
            device.ones(64).dropout(0.5));
    return Tensor.concat(all, 0).toFloatArray();
  }

  /** PyTorch's numbers: {@code torch.manual_seed(0); torch.rand(3)}. */
  @Test
  void theStreamIsPyTorchs() {
    device.manualSeed(0);
    float[] expected = {0.49625659f, 0.76822180f, 0.08847743f};
    assertArrayEquals(expected, device.rand(3).toFloatArray());
  }

  // ---- several devices

  @Test
  void twoDevicesOfOneKindAreOpenAtOnceAndKeptApart() {
    try (Device twin = Device.over(new ReferenceBackend("reference"))) {
      Tensor x = device.ones(2);
      Tensor y = twin.ones(2);
      refused(
          "mul: operands are on reference and reference (two devices, opened apart); move one with"
              + " to(device)",
          () -> x.mul(y));
      assertArrayEquals(new float[] {2, 2}, x.to(twin).add(y).toFloatArray());
      twin.close();
      refused(CLOSED, () -> y.mul(2));
      assertArrayEquals(new float[] {2, 2}, x.mul(2).toFloatArray());
    }
  }

  @Test
  void gradientsFlowBackAcrossDevices() {
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      Tensor x = device.tensor(new double[] {1, 2}).requiresGrad(true);
      Tensor w = other.tensor(new double[] {3, 4}).requiresGrad(true);
      Tensor there = x.to(other);
      assertSame(other, there.device());
      assertNotSame(x.storage(), there.storage());
      Tensor y = there.mul(w).to(device).mul(x);
      y.sum().backward();
      assertArrayEquals(new double[] {6, 16}, x.grad().toDoubleArray());
      assertArrayEquals(new double[] {1, 4}, w.grad().toDoubleArray());
      assertSame(device, x.grad().device());
      assertSame(other, w.grad().device());
    }
  }

  @Test
  void everyTypeMovesBetweenDevices() {
    try (Device other = Device.over(new ReferenceBackend("other"))) {
      assertArrayEquals(new long[] {0, 1, 2}, device.arange(3).to(other).toLongArray());
      boolean[] mask = {true, false};
      assertArrayEquals(mask, device.tensor(mask).to(other).toBooleanArray());
      assertArrayEquals(new float[] {1}, device.ones(1).to(other).toFloatArray());
      assertEquals(0, device.zeros(0, 3).to(other).numel());
    }
  }

  // ---- the end

  @Test
  void aClosedDeviceAnswersWithItsName() {
    Tensor x = device.ones(2).requiresGrad(true);
    Tensor y = x.mul(2).sum();
    device.close();
    device.close();
    refused(CLOSED, () -> x.mul(2));
    refused(CLOSED, () -> x.add(x));
    refused(CLOSED, x::toFloatArray);
    refused(CLOSED, x::detach);
    refused(CLOSED, y::backward);
    refused(CLOSED, y::item);
    refused(CLOSED, () -> device.ones(2));
    refused(CLOSED, () -> device.tensor(new float[2]));
    refused(CLOSED, device::synchronize);
    refused(CLOSED, device::backend);
    assertEquals("reference", device.name());
    assertEquals("reference", device.toString());
    x.close();
  }

  // ---- threads

  private static final int THREADS = 16;
  private static final int REQUESTS = 10_000;

  /** Two layers; the weights' transposes are shared by all threads and lazy. */
  private record Model(Tensor first, Tensor second) {
    float[] answer(int request) {
      try (NoGrad off = NoGrad.open();
          Scope scope = Scope.open()) {
        float[] values = new float[6];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) Math.sin(request % 50 + 0.3 * i);
        }
        Tensor x = first.device().tensor(values, 2, 3);
        return x.matmul(first).tanh().matmul(second).softmax(1).toFloatArray();
      }
    }
  }

  @Test
  void sixteenThreadsOnOneModelGiveEqualBitsAndDoNotGrow() throws Exception {
    Tensor w1 = device.randn(8, 3).requiresGrad(true);
    Tensor w2 = device.randn(5, 8).requiresGrad(true);
    Model model = new Model(w1.transpose(0, 1), w2.transpose(0, 1));
    List<float[]> expected = new ArrayList<>();
    for (int request = 0; request < 50; request++) {
      expected.add(model.answer(request));
    }
    long inUse = device.bytesInUse();
    long forOneThread = backend.live();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<Integer>> answers = new ArrayList<>();
      for (int t = 0; t < THREADS; t++) {
        int offset = t;
        answers.add(threads.submit(() -> answerAll(model, expected, offset)));
      }
      int sum = 0;
      for (Future<Integer> f : answers) {
        sum += f.get();
      }
      assertEquals(REQUESTS, sum);
    } finally {
      threads.shutdown();
    }
    assertEquals(inUse, device.bytesInUse());
    assertTrue(
        backend.live() <= THREADS * forOneThread,
        backend.live() + " storages, for one thread " + forOneThread);
  }

  private static int answerAll(Model model, List<float[]> expected, int offset) {
    int n = 0;
    for (int request = offset; request < REQUESTS; request += THREADS) {
      assertArrayEquals(expected.get(request % 50), model.answer(request));
      n++;
    }
    return n;
  }

  @Test
  void manyThreadsMayReadOneLazyTransposeForTheFirstTime() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      for (int round = 0; round < 50; round++) {
        Tensor a = device.randn(7, 5);
        Tensor t = a.transpose(0, 1);
        float[] rows = a.permute(1, 0).toFloatArray();
        float[] square = t.matmul(a).toFloatArray();
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          boolean reads = i % 2 == 0;
          all.add(
              threads.submit(
                  () ->
                      assertArrayEquals(
                          reads ? rows : square,
                          reads ? t.toFloatArray() : t.matmul(a).toFloatArray())));
        }
        for (Future<?> f : all) {
          f.get();
        }
      }
    } finally {
      threads.shutdown();
    }
  }
}
