package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;

/** The emulator fails, refuses, reorders and counts as it is told. */
class ModesTest {
  private static final int N = 10_000;

  private static void assertStatus(int expected, int status) {
    assertEquals(CUresult.stringFor(expected), CUresult.stringFor(status));
  }

  private static Gpu gpu(String modes) {
    return new Gpu(modes).with(Gpu.resource("samples.ptx"));
  }

  @Test
  void unknownModeIsNamed() {
    new Gpu("");
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> EmulatorControl.configure("race,sideways"));
    assertEquals("emulator: unknown mode 'sideways'", e.getMessage());
    assertEquals(
        "emulator: no counter 'beans'",
        assertThrows(IllegalArgumentException.class, () -> EmulatorControl.counter("beans"))
            .getMessage());
  }

  @Test
  void noDevice() {
    new Gpu("");
    EmulatorControl.reset();
    EmulatorControl.configure("devices=0");
    assertStatus(CUresult.CUDA_ERROR_NO_DEVICE, JCudaDriver.cuInit(0));
    int[] count = new int[1];
    assertStatus(CUresult.CUDA_ERROR_NOT_INITIALIZED, JCudaDriver.cuDeviceGetCount(count));
  }

  @Test
  void severalDevicesKeepTheirMemoryApart() {
    Gpu gpu = new Gpu("devices=2").with(Gpu.resource("bugs.ptx"));
    CUcontext second = new CUcontext();
    CUdevice device = new CUdevice();
    Gpu.check(JCudaDriver.cuDeviceGet(device, 1));
    Gpu.check(JCudaDriver.cuDevicePrimaryCtxRetain(second, device));
    CUcontext first = new CUcontext();
    Gpu.check(JCudaDriver.cuCtxGetCurrent(first));
    Gpu.check(JCudaDriver.cuCtxSetCurrent(second));
    CUdeviceptr elsewhere = gpu.upload(new int[32]);
    Gpu.check(JCudaDriver.cuCtxSetCurrent(first));
    assertStatus(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, gpu.run("pastTheEnd", 1, 32, 0, elsewhere));
    assertTrue(EmulatorControl.lastError().contains("which lies on device 1"));
  }

  @Test
  void driverVersionBoundsPtx() {
    Gpu gpu = new Gpu("driver=11040");
    int[] version = new int[1];
    Gpu.check(JCudaDriver.cuDriverGetVersion(version));
    assertEquals(11040, version[0]);
    String ptx = Gpu.resource("bugs.ptx");
    assertStatus(CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, gpu.load(ptx));
    assertEquals(
        "cuModuleLoadData: Unsupported .version 8.0; current version is '7.4'",
        EmulatorControl.lastError());
    Gpu.check(gpu.load(ptx.replace(".version 8.0", ".version 7.4")));
    EmulatorControl.configure("driver=13000,ptx=63");
    assertStatus(CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, gpu.load(ptx));
    EmulatorControl.configure("driver=13000");
    Gpu.check(gpu.load(ptx.replace(".version 8.0", ".version 9.0")));
  }

  @Test
  void targetAboveTheDeviceIsRefused() {
    Gpu gpu = new Gpu("capability=70");
    assertStatus(CUresult.CUDA_ERROR_INVALID_PTX, gpu.load(Gpu.resource("bugs.ptx")));
    assertTrue(
        EmulatorControl.lastError()
            .endsWith(
                "SM version specified by .target is higher than default SM version assumed: sm_75"
                    + " on sm_70"),
        EmulatorControl.lastError());
  }

  @Test
  void textThatIsNoPtxIsRefusedWithItsLine() {
    Gpu gpu = new Gpu("");
    String head = ".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry k()\n{\n";
    assertStatus(CUresult.CUDA_ERROR_INVALID_PTX, gpu.load(head + "  wgmma.mma.f32 1;\n}\n"));
    assertEquals(
        "cuModuleLoadData: PTX line 6: 'wgmma.mma.f32' is not supported by the emulator",
        EmulatorControl.lastError());
  }

  @Test
  void aModuleThatIsLoadedAgainHasItsFirstValues() {
    for (int k = 0; k < 2; k++) {
      Gpu gpu = gpu("");
      CUdeviceptr scratch = new CUdeviceptr();
      long[] bytes = new long[1];
      Gpu.check(JCudaDriver.cuModuleGetGlobal(scratch, bytes, gpu.module(), "scratch"));
      assertEquals(16, bytes[0]);
      assertEquals(0f, gpu.floats(scratch, 4)[0]);
      Gpu.check(gpu.run("variables", 1, 4, 0, gpu.allocate(16)));
      assertEquals(8f, gpu.floats(scratch, 4)[0]);
      assertEquals(1, EmulatorControl.counter("live-modules"));
      Gpu.check(JCudaDriver.cuModuleUnload(gpu.module()));
      assertEquals(0, EmulatorControl.counter("live-modules"));
    }
  }

  @Test
  void twoModulesOfOneTextAreApart() {
    Gpu gpu = gpu("");
    CUmodule first = gpu.module();
    gpu.with(Gpu.resource("samples.ptx"));
    CUdeviceptr one = new CUdeviceptr();
    CUdeviceptr two = new CUdeviceptr();
    Gpu.check(JCudaDriver.cuModuleGetGlobal(one, new long[1], first, "scratch"));
    Gpu.check(JCudaDriver.cuModuleGetGlobal(two, new long[1], gpu.module(), "scratch"));
    Gpu.check(gpu.run("variables", 1, 4, 0, gpu.allocate(16)));
    assertEquals(0f, gpu.floats(one, 4)[0]);
    assertEquals(8f, gpu.floats(two, 4)[0]);
  }

  @Test
  void capOnMemory() {
    Gpu gpu = new Gpu("memory=1000000");
    CUdeviceptr first = gpu.allocate(600_000);
    assertStatus(
        CUresult.CUDA_ERROR_OUT_OF_MEMORY, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 500_000));
    long[] free = new long[1];
    long[] total = new long[1];
    Gpu.check(JCudaDriver.cuMemGetInfo(free, total));
    assertEquals(400_000, free[0]);
    assertEquals(1_000_000, total[0]);
    Gpu.check(JCudaDriver.cuMemFree(first));
    gpu.allocate(500_000);
  }

  @Test
  void nthAllocationFailsOnce() {
    Gpu gpu = new Gpu("");
    EmulatorControl.configure("fail-allocation=2");
    gpu.allocate(8);
    assertStatus(CUresult.CUDA_ERROR_OUT_OF_MEMORY, JCudaDriver.cuMemAlloc(new CUdeviceptr(), 8));
    assertEquals(
        "cuMemAlloc_v2: injected failure of an allocation of 8 bytes", EmulatorControl.lastError());
    gpu.allocate(8);
    assertEquals(2, EmulatorControl.counter("live-allocations"));
  }

  @Test
  void nthCallFailsWithTheCodeThatWasAsked() {
    new Gpu("");
    EmulatorControl.configure("fail-call=3,fail-code=304");
    Gpu.check(JCudaDriver.cuCtxSynchronize());
    Gpu.check(JCudaDriver.cuCtxSynchronize());
    assertStatus(304, JCudaDriver.cuCtxSynchronize());
    Gpu.check(JCudaDriver.cuCtxSynchronize());
    EmulatorControl.configure("fail-call=1,fail-code=2,fail-name=cuMemFree_v2");
    CUdeviceptr x = new CUdeviceptr();
    Gpu.check(JCudaDriver.cuMemAlloc(x, 8));
    assertStatus(2, JCudaDriver.cuMemFree(x));
    assertEquals("cuMemFree_v2: injected failure", EmulatorControl.lastError());
    Gpu.check(JCudaDriver.cuMemFree(x));
  }

  @Test
  void injectedFaultOfTheDeviceStays() {
    new Gpu("");
    EmulatorControl.configure("fail-call=1,fail-code=700");
    assertStatus(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, JCudaDriver.cuCtxSynchronize());
    assertStatus(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, JCudaDriver.cuCtxSynchronize());
  }

  @Test
  void orderOfBlocksChangesAtomicSumsOnly() {
    float[] a = new float[N];
    Random random = new Random(3);
    for (int i = 0; i < N; i++) {
      a[i] = (float) random.nextGaussian();
    }
    Set<Float> atomic = new HashSet<>();
    Set<Float> fixed = new HashSet<>();
    for (int seed = 1; seed <= 5; seed++) {
      Gpu gpu = gpu("order=" + seed);
      CUdeviceptr x = gpu.upload(a);
      CUdeviceptr total = gpu.upload(0f);
      Gpu.check(gpu.run("atomicSum", Gpu.blocks(N), Gpu.BLOCK, 0, x, total, N));
      atomic.add(gpu.floats(total, 1)[0]);
      Gpu.check(gpu.run("sum", 1, Gpu.BLOCK, 0, x, total, (long) N));
      fixed.add(gpu.floats(total, 1)[0]);
    }
    assertTrue(atomic.size() > 1, () -> "all orders gave " + atomic);
    assertEquals(1, fixed.size());
  }

  @Test
  void sectorsTellAPatternsCost() {
    Gpu gpu = gpu("");
    int threads = 1024;
    Gpu.Memory a = gpu.upload(new float[8 * threads]);
    CUdeviceptr out = gpu.allocate(4 * threads);
    EmulatorControl.Watch watch = EmulatorControl.watch(a.address(), 4L * 8 * threads);
    Gpu.check(gpu.run("strided", threads / 256, 256, 0, a, out, 1));
    EmulatorControl.KernelCounts together = EmulatorControl.kernel("strided");
    assertEquals(1, together.launches());
    assertEquals(4, together.blocks());
    assertEquals(new EmulatorControl.Traffic(32, 4 * threads, 128, 128), together.loads());
    assertEquals(new EmulatorControl.Traffic(32, 4 * threads, 128, 128), together.stores());
    EmulatorControl.clearCounters();
    Gpu.check(gpu.run("strided", threads / 256, 256, 0, a, out, 8));
    assertEquals(
        new EmulatorControl.Traffic(32, 4 * threads, 1024, 128),
        EmulatorControl.kernel("strided").loads());
    assertEquals(EmulatorControl.kernel("strided").loads(), watch.loads());
    assertEquals(new EmulatorControl.Traffic(0, 0, 0, 0), watch.stores());
    EmulatorControl.clearCounters();
    Gpu.check(gpu.run("scale4", 2, 256, 0, a, 2f, 512));
    assertEquals(
        new EmulatorControl.Traffic(16, 16 * 512, 256, 256),
        EmulatorControl.kernel("scale4").loads());
    EmulatorControl.clearWatches();
  }

  @Test
  void copiesAllocationsAndLaunchesAreCounted() {
    Gpu gpu = gpu("");
    EmulatorControl.clearCounters();
    CUdeviceptr x = gpu.upload(new float[100]);
    Gpu.check(gpu.run("scale4", 1, 32, 0, x, 2f, 25));
    gpu.floats(x, 100);
    assertEquals(1, EmulatorControl.counter("allocations"));
    assertEquals(400, EmulatorControl.counter("live-bytes"));
    assertEquals(1, EmulatorControl.counter("h2d"));
    assertEquals(400, EmulatorControl.counter("h2d-bytes"));
    assertEquals(1, EmulatorControl.counter("d2h"));
    assertEquals(0, EmulatorControl.counter("memset"));
    assertEquals(1, EmulatorControl.calls().get("cuLaunchKernel"));
  }

  @Test
  void functionsThatAreMissingSayTheirNames() {
    new Gpu("");
    assertStatus(
        CUresult.CUDA_ERROR_NOT_SUPPORTED, JCudaDriver.cuMemAllocManaged(new CUdeviceptr(), 8, 1));
    assertEquals("cuMemAllocManaged: not supported by the emulator", EmulatorControl.lastError());
    assertEquals(1, EmulatorControl.counter("unsupported"));
  }

  @Test
  void launchesBeyondTheLimitsAreRefused() {
    Gpu gpu = gpu("");
    CUdeviceptr x = gpu.upload(new float[4]);
    AssertionError tooLarge =
        assertThrows(AssertionError.class, () -> gpu.launch("scale4", 1, 2048, 0, x, 1f, 1));
    assertTrue(tooLarge.getMessage().contains("a block has at most 1024 threads"));
    AssertionError empty =
        assertThrows(AssertionError.class, () -> gpu.launch("scale4", 0, 32, 0, x, 1f, 1));
    assertTrue(empty.getMessage().contains("a dimension is 0"));
    AssertionError shared =
        assertThrows(AssertionError.class, () -> gpu.launch("scale4", 1, 32, 60_000, x, 1f, 1));
    assertTrue(shared.getMessage().contains("60000 bytes of dynamic shared memory"));
  }
}
