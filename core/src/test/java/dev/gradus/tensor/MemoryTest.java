package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.DeviceMemoryException;
import dev.gradus.spi.Storage;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // scopes are open for their effect
class MemoryTest {
  private static final String PROGRAM = "dev.gradus.programs.MemoryProgram";

  private static void step(Tensor w, Tensor x) {
    try (Scope step = Scope.open()) {
      w.zeroGrad();
      Tensor h = x.matmul(w.transpose(0, 1)).tanh();
      h.mul(h).sum(1).softmax(0).log().mean().backward();
    }
  }

  @Test
  void stepsUseTheSameMemoryAgain() {
    ReferenceBackend backend = new ReferenceBackend("reference");
    try (Device device = Device.over(backend)) {
      Tensor w = device.randn(5, 3).requiresGrad(true);
      Tensor x = device.randn(7, 3);
      step(w, x);
      long inUse = device.bytesInUse();
      long pooled = device.bytesPooled();
      long live = backend.live();
      assertEquals((15 + 15 + 21) * 4, inUse, "w, its gradient, x");
      assertTrue(pooled > 0);
      for (int i = 0; i < 1000; i++) {
        step(w, x);
        assertEquals(inUse, device.bytesInUse());
        assertEquals(pooled, device.bytesPooled());
        assertEquals(live, backend.live());
      }
    }
  }

  @Test
  void parametersAndGradientsSurviveScopesAtTheirAddresses() {
    try (Device device = Device.over(new ReferenceBackend("reference"))) {
      Tensor w = device.randn(5, 3).requiresGrad(true);
      Tensor x = device.randn(7, 3);
      step(w, x);
      Storage values = w.storage();
      Storage gradient = w.grad().storage();
      step(w, x);
      assertSame(values, w.storage());
      assertSame(gradient, w.grad().storage());
    }
  }

  @Test
  void aFreedBufferIsTheNextOneOfItsSizeAndTypeOnly() {
    try (Device device = Device.over(new ReferenceBackend("reference"))) {
      Tensor x = device.ones(6);
      Storage first = x.storage();
      x.close();
      assertEquals(24, device.bytesPooled());
      assertNotSame(first, device.ones(DType.F64, 3).storage());
      assertNotSame(first, device.ones(5).storage());
      assertSame(first, device.ones(2, 3).storage());
      assertEquals(0, device.bytesPooled());
    }
  }

  @Test
  void closingTwiceGivesTheMemoryBackOnce() {
    try (Device device = Device.over(new ReferenceBackend("reference"))) {
      Tensor x = device.ones(6);
      Tensor view = x.reshape(2, 3);
      x.close();
      x.close();
      assertEquals(24, device.bytesInUse());
      view.close();
      assertEquals(0, device.bytesInUse());
      assertEquals(24, device.bytesPooled());
    }
  }

  @Test
  void theCollectorFreesWhatNoScopeOwns() throws InterruptedException {
    try (Device device = Device.over(new ReferenceBackend("reference"))) {
      WeakReference<Tensor> lost = new WeakReference<>(device.ones(1000));
      Tensor held = device.ones(10);
      assertEquals(4040, device.bytesInUse());
      for (int i = 0; i < 100 && device.bytesInUse() != 40; i++) {
        System.gc();
        Thread.sleep(10);
      }
      assertEquals(40, device.bytesInUse(), "lost: " + lost.get());
      assertEquals(10, held.numel());
    }
  }

  @Test
  void aGraphThatRanBackLetsItsValuesGo() throws InterruptedException {
    try (Device device = Device.over(new ReferenceBackend("reference"))) {
      Tensor w = device.ones(1000).requiresGrad(true);
      Tensor loss = w.exp().mul(2).sum();
      loss.backward();
      long left = 4000 + 4000 + 4;
      for (int i = 0; i < 100 && device.bytesInUse() != left; i++) {
        System.gc();
        Thread.sleep(10);
      }
      assertEquals(left, device.bytesInUse(), "w, its gradient, the loss");
      assertTrue(loss.item() > 0);
    }
  }

  @Test
  void closingTheDeviceGivesThePoolBackAndAScopeMayEndAfterIt() {
    ReferenceBackend backend = new ReferenceBackend("reference");
    Device device = Device.over(backend);
    Tensor x;
    try (Scope scope = Scope.open()) {
      x = device.ones(5);
      device.ones(7).close();
      device.close();
      device.close();
    }
    assertEquals(1, backend.live(), "x, which was alive at the end");
    assertEquals(0, device.bytesPooled(), "a closed device keeps nothing");
    assertThrows(IllegalStateException.class, x::toFloatArray);
  }

  // ---- out of memory

  /** A backend with this much memory; what does not fit is refused as a device refuses it. */
  private static Backend limited(long capacity, boolean asHeap) {
    return limited(capacity, asHeap, new int[1]);
  }

  private static Backend limited(long capacity, boolean asHeap, int[] refusals) {
    long[] used = new long[1];
    return standIn(
        Map.of(
            "allocate",
            args -> {
              long bytes = (long) args[1] * ((DType) args[0]).bytes();
              if (used[0] + bytes > capacity) {
                refusals[0]++;
                if (asHeap) {
                  throw new OutOfMemoryError("heap");
                }
                throw new DeviceMemoryException("full");
              }
              used[0] += bytes;
            },
            "free",
            args -> {
              Storage s = (Storage) args[0];
              used[0] -= s.numel() * s.dtype().bytes();
            }),
        capacity);
  }

  /** A backend that does something before some of its methods. */
  private static Backend standIn(Map<String, Consumer<Object[]>> before, long capacity) {
    ReferenceBackend all = new ReferenceBackend("small");
    return (Backend)
        Proxy.newProxyInstance(
            MemoryTest.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, args) -> {
              if (method.getName().equals("capacity")) {
                return capacity;
              }
              before.getOrDefault(method.getName(), a -> {}).accept(args);
              try {
                return method.invoke(all, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Test
  void outOfMemoryTellsWhatWasAskedWhatIsHeldAndTheWayOut() {
    for (boolean asHeap : new boolean[] {false, true}) {
      try (Device device = Device.over(limited(1000, asHeap))) {
        Tensor held = device.ones(100);
        try (Scope scope = Scope.open()) {
          device.ones(50);
          BackendException e = assertThrows(BackendException.class, () -> device.ones(101));
          assertEquals(
              "small: out of memory: asked for 404 bytes, held 600 of 1000: 400 by references"
                  + " (parameters, gradients, optimizer state, tensors born outside a scope), 200"
                  + " by open scopes; open a Scope around each step, or raise -Xmx",
              e.getMessage());
          assertEquals(asHeap, e.getCause() instanceof OutOfMemoryError);
          assertEquals(600, device.bytesInUse());
        }
        assertEquals(100, held.numel());
      }
    }
  }

  @Test
  void thePoolTakesAnEighthOfTheMemoryAndForgetsWhatWasNotUsedForLongest() {
    try (Device device = Device.over(limited(8000, false))) {
      device.ones(100).close();
      device.ones(50).close();
      Storage second = store(device, 60);
      assertEquals(840, device.bytesPooled());
      store(device, 100);
      device.ones(41).close();
      assertEquals(400 + 240 + 164, device.bytesPooled(), "without the 50, which rested longest");
      assertSame(second, device.ones(60).storage());
      device.ones(251).close();
      assertEquals(400 + 164, device.bytesPooled(), "1004 bytes are too many to keep");
    }
  }

  private static Storage store(Device device, int size) {
    try (Tensor t = device.ones(size)) {
      return t.storage();
    }
  }

  @Test
  void ofManyEqualStoragesThePoolKeepsWhatFits() {
    try (Device device = Device.over(limited(8000, false))) {
      try (Scope scope = Scope.open()) {
        for (int i = 0; i < 15; i++) {
          device.ones(25);
        }
      }
      assertEquals(1000, device.bytesPooled());
    }
  }

  @Test
  void thePoolTellsAFewThousandSizesApart() {
    ReferenceBackend backend = new ReferenceBackend("reference");
    try (Device device = Device.over(backend)) {
      for (int size = 1; size <= 5000; size++) {
        device.zeros(size).close();
      }
      assertEquals(4096, backend.live());
    }
  }

  @Test
  void trimGivesThePoolBack() {
    ReferenceBackend backend = new ReferenceBackend("reference");
    Device device = Device.over(backend);
    Tensor x = device.ones(5);
    device.ones(7).close();
    assertEquals(28, device.bytesPooled());
    device.trim();
    assertEquals(0, device.bytesPooled());
    assertEquals(1, backend.live(), "x");
    assertArrayEquals(new float[] {1, 1, 1, 1, 1}, x.toFloatArray());
    device.close();
    assertEquals(
        "device 'reference' is closed; tensors end with their device",
        assertThrows(IllegalStateException.class, device::trim).getMessage());
  }

  @Test
  void thePoolIsGivenBackBeforeMemoryRunsOut() {
    int[] refusals = new int[1];
    try (Device device = Device.over(limited(1000, false, refusals))) {
      Tensor held = device.ones(200);
      for (int size = 1; size <= 50; size++) {
        device.ones(size).close();
      }
      assertEquals(800, device.bytesInUse());
      assertEquals(200, held.numel());
      assertEquals(0, refusals[0], "the device was never asked for more than it had");
    }
  }

  @Test
  void otherThreadsGoOnWhileABackendFrees() throws InterruptedException {
    CountDownLatch frees = new CountDownLatch(1);
    CountDownLatch allocated = new CountDownLatch(1);
    List<Boolean> wentOn = new CopyOnWriteArrayList<>();
    Consumer<Object[]> slowly =
        args -> {
          frees.countDown();
          wentOn.add(isDown(allocated));
        };
    try (Device device = Device.over(standIn(Map.of("free", slowly), 1 << 20))) {
      device.ones(5).close();
      Thread other =
          new Thread(
              () -> {
                isDown(frees);
                device.ones(7).close();
                allocated.countDown();
              });
      other.start();
      device.trim();
      other.join();
      assertEquals(List.of(true), wentOn);
    }
  }

  @Test
  void memoryIsOutOnlyWhenWhatAnotherThreadFreesIsFree() throws InterruptedException {
    AtomicLong used = new AtomicLong();
    CountDownLatch frees = new CountDownLatch(1);
    CountDownLatch refused = new CountDownLatch(1);
    Consumer<Object[]> allocate =
        args -> {
          long bytes = (long) args[1] * Float.BYTES;
          if (used.addAndGet(bytes) > 1000) {
            used.addAndGet(-bytes);
            refused.countDown();
            throw new DeviceMemoryException("full");
          }
        };
    Consumer<Object[]> free =
        args -> {
          frees.countDown();
          isDown(refused);
          sleep(500); // long enough for one that does not wait to ask once more
          used.addAndGet(-((Storage) args[0]).numel() * Float.BYTES);
        };
    try (Device device = Device.over(standIn(Map.of("allocate", allocate, "free", free), 1000))) {
      Tensor large = device.ones(200);
      Thread other = new Thread(large::close);
      other.start();
      isDown(frees);
      assertEquals(200, device.ones(200).numel());
      other.join();
    }
  }

  @Test
  void aBackendIsClosedOnlyWhenItHasFreed() throws InterruptedException {
    CountDownLatch frees = new CountDownLatch(1);
    List<String> done = new CopyOnWriteArrayList<>();
    Consumer<Object[]> free =
        args -> {
          frees.countDown();
          sleep(500);
          done.add("freed");
        };
    Consumer<Object[]> close = args -> done.add("closed");
    Device device = Device.over(standIn(Map.of("free", free, "close", close), 1000));
    Tensor large = device.ones(200);
    Thread other = new Thread(large::close);
    other.start();
    isDown(frees);
    device.close();
    other.join();
    assertEquals(List.of("freed", "closed"), done);
  }

  @Test
  void trimDoesNotWaitForWhatIsFreedLater() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    Device device = Device.over(standIn(Map.of("free", args -> sleep(2)), 1 << 20));
    List<Thread> others = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread other =
          new Thread(
              () -> {
                while (!over.get()) {
                  device.ones(40_000).close(); // too large for the pool
                }
              });
      other.start();
      others.add(other);
    }
    sleep(50);
    Thread trims = new Thread(device::trim);
    trims.start();
    trims.join(10_000);
    boolean ended = !trims.isAlive();
    over.set(true);
    for (Thread other : others) {
      other.join();
    }
    assertTrue(ended);
    device.close();
  }

  private static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isDown(CountDownLatch latch) {
    try {
      return latch.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---- programs of their own

  @Test
  void aLoopThatForgetsItsScopeRunsOnWithOneWarning() throws Exception {
    ChildJvm child = ChildJvm.run(List.of("-Xmx256m"), PROGRAM, "forgetScope");
    assertEquals(0, child.exit(), child.err());
    assertEquals("steps 100000, converged true", child.out().strip());
    assertEquals(1, child.warnings().size(), child.err());
    String warning = child.warnings().get(0);
    assertTrue(
        warning.matches(
            "WARNING: reference: \\d+ tensors \\(\\d+ bytes\\) were born outside a scope and left"
                + " to the garbage collector; open a Scope around each step: it costs less"),
        warning);
  }

  @Test
  void fewLargeForgottenTensorsDoNotFillTheHeap() throws Exception {
    ChildJvm child = ChildJvm.run(List.of("-Xmx64m"), PROGRAM, "fillTheHeap");
    assertEquals(0, child.exit(), child.err());
    assertEquals("sum 200.0", child.out().strip());
    assertTrue(child.warnings().size() <= 1, child.err());
  }

  @Test
  void thePoolLeavesTheHeapToTheUser() throws Exception {
    ChildJvm child = ChildJvm.run(List.of("-Xmx256m"), PROGRAM, "variedSizes");
    assertEquals(0, child.exit(), child.err());
    assertEquals("in use 0, own array 62914560", child.out().strip());
  }

  @Test
  void theLeakReportTellsWhereWhatIsAliveWasBorn() throws Exception {
    ChildJvm traced = ChildJvm.run(List.of("-Dgradus.leaks=trace"), PROGRAM, "leak");
    assertEquals(0, traced.exit(), traced.err());
    assertEquals(
        List.of("WARNING: reference: closed with 2 tensors (96 bytes) still referenced"),
        traced.warnings());
    List<String> born =
        traced.err().lines().filter(s -> s.startsWith("  48 bytes, born at ")).sorted().toList();
    assertEquals(2, born.size(), traced.err());
    for (String line : born) {
      assertTrue(line.contains("dev.gradus.programs.MemoryProgram.leak(MemoryProgram.java:"), line);
    }
    ChildJvm silent = ChildJvm.run(List.of(), PROGRAM, "leak");
    assertFalse(silent.err().contains("still referenced"), silent.err());
  }
}
