package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;

/** Each mistake that a kernel or its caller can make is found, with words that say where. */
class PlantedBugsTest {
  private static Gpu gpu(String modes) {
    return new Gpu(modes).with(Gpu.resource("bugs.ptx"));
  }

  /** The kernel's error, which must hold each of the texts. */
  private static void assertFound(int expected, int status, String... texts) {
    assertEquals(
        CUresult.stringFor(expected), CUresult.stringFor(status), EmulatorControl.lastError());
    String error = EmulatorControl.lastError();
    for (String text : texts) {
      assertTrue(error.contains(text), () -> "'" + error + "' lacks '" + text + "'");
    }
  }

  @Test
  void missingBarrier() {
    Gpu gpu = gpu("race");
    int status = gpu.run("missingBarrier", 1, 256, 0, gpu.upload(new float[256]));
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        status,
        "kernel 'missingBarrier' block (0,0,0) thread (",
        "uninitialised shared memory read",
        "[PTX line ");
  }

  @Test
  void missingBarrierAfterEarlierWrites() {
    Gpu gpu = gpu("race");
    int status = gpu.run("lateBarrier", 1, 64, 0, gpu.upload(new float[64]));
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        status,
        "kernel 'lateBarrier' block (0,0,0) thread (32,0,0): shared race, write after read of byte"
            + " 124, with block (0,0,0) thread (31,0,0) and others");
  }

  @Test
  void missingWarpBarrier() {
    Gpu gpu = gpu("race");
    int status = gpu.run("missingWarpBarrier", 1, 32, 0, gpu.upload(new float[32]));
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        status,
        "kernel 'missingWarpBarrier' block (0,0,0) thread (0,0,0): shared race, read after write of"
            + " byte 124, with block (0,0,0) thread (31,0,0)");
  }

  @Test
  void divergentShuffle() {
    Gpu gpu = gpu("");
    int status = gpu.run("divergentShuffle", 1, 32, 0, gpu.upload(new int[32]));
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        status,
        "kernel 'divergentShuffle' block (0,0,0) thread (0,0,0): divergent shuffle or vote: lanes"
            + " 16-31 of its warp are not at this instruction",
        "shfl.sync.bfly.b32");
  }

  @Test
  void divergentBarrierInOneWarp() {
    Gpu gpu = gpu("");
    int[] x = new int[64];
    x[5] = 9;
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        gpu.run("divergentBarrier", 1, 64, 0, gpu.upload(x)),
        "kernel 'divergentBarrier' block (0,0,0) thread (",
        "divergent barrier: lanes");
  }

  @Test
  void divergentBarrierBetweenWarps() {
    Gpu gpu = gpu("");
    int[] x = new int[64];
    Arrays.fill(x, 32, 64, 9);
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        gpu.run("divergentBarrier", 1, 64, 0, gpu.upload(x)),
        "kernel 'divergentBarrier' block (0,0,0) thread (32,0,0): divergent barrier: warp 0 of the"
            + " block waits at another one");
  }

  @Test
  void outOfBounds() {
    Gpu gpu = gpu("");
    int status = gpu.run("pastTheEnd", 2, 32, 0, gpu.allocate(4 * 63));
    assertFound(
        CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
        status,
        "kernel 'pastTheEnd' block (1,0,0) thread (31,0,0): illegal global write of 4 bytes at 0x",
        ", 0 bytes past the end of a block of 252 bytes",
        "st.global.u32");
  }

  @Test
  void useAfterFree() {
    Gpu gpu = gpu("");
    CUdeviceptr x = gpu.allocate(1024);
    Gpu.check(JCudaDriver.cuMemFree(x));
    assertFound(
        CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
        gpu.run("pastTheEnd", 1, 32, 0, x),
        "kernel 'pastTheEnd' block (0,0,0) thread (0,0,0): illegal global write of 4 bytes",
        "byte 0 of a freed block of 1024 bytes");
    Gpu fresh = gpu("");
    CUdeviceptr twice = fresh.allocate(8);
    Gpu.check(JCudaDriver.cuMemFree(twice));
    assertFound(
        CUresult.CUDA_ERROR_INVALID_VALUE,
        JCudaDriver.cuMemFree(twice),
        "cuMemFree_v2: no live block begins there: byte 0 of a freed block of 8 bytes");
  }

  @Test
  void outOfBoundsOfSharedMemory() {
    Gpu gpu = gpu("");
    assertFound(
        CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
        gpu.run("sharedPastTheEnd", 1, 32, 128, gpu.upload(new int[32])),
        "kernel 'sharedPastTheEnd' block (0,0,0) thread (31,0,0): illegal shared write of 4 bytes"
            + " at byte 128 of 128");
  }

  @Test
  void misalignedVector() {
    Gpu gpu = gpu("");
    assertFound(
        CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
        gpu.run("misaligned", 1, 32, 0, gpu.upload(new float[200])),
        "kernel 'misaligned' block (0,0,0) thread (0,0,0): misaligned read of 16 bytes at 0x",
        "ld.global.v4.f32");
  }

  @Test
  void uninitialisedSharedMemory() {
    Gpu gpu = gpu("race");
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        gpu.run("uninitialisedShared", 1, 64, 0, gpu.upload(new float[64])),
        "kernel 'uninitialisedShared' block (0,0,0) thread (63,0,0): uninitialised shared memory"
            + " read: byte 252");
  }

  @Test
  void uninitialisedMemoryIsNaNWithoutTheCheck() {
    Gpu gpu = gpu("");
    CUdeviceptr to = gpu.allocate(4 * 32);
    Gpu.check(gpu.run("copyAll", 1, 32, 0, gpu.allocate(4 * 32), to));
    assertTrue(Float.isNaN(gpu.floats(to, 32)[7]));
  }

  @Test
  void uninitialisedGlobalMemory() {
    Gpu gpu = gpu("race");
    CUdeviceptr from = gpu.allocate(4 * 32);
    Gpu.check(JCudaDriver.cuMemsetD32(from, 0, 30));
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        gpu.run("copyAll", 1, 32, 0, from, gpu.allocate(4 * 32)),
        "kernel 'copyAll' block (0,0,0) thread (30,0,0): uninitialised global memory read: byte"
            + " 120");
  }

  @Test
  void blocksThatWriteOneWord() {
    Gpu gpu = gpu("race");
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        gpu.run("blocksCollide", 3, 32, 0, gpu.upload(new int[1])),
        "kernel 'blocksCollide' block (1,0,0) thread (0,0,0): global race, write after write of"
            + " byte 0, with block (0,0,0) thread (0,0,0)");
  }

  @Test
  void blocksThatWriteTheSameAreNoRace() {
    Gpu gpu = gpu("race");
    CUdeviceptr x = gpu.upload(new int[1]);
    Gpu.check(gpu.run("blocksAgree", 3, 32, 0, x));
    assertArrayEquals(new int[] {5}, gpu.ints(x, 1));
  }

  @Test
  void endlessLoop() {
    Gpu gpu = gpu("limit=100000");
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
        gpu.run("endless", 1, 32, 0, gpu.upload(new int[1])),
        "kernel 'endless' block (0,0,0) thread (0,0,0): endless: the limit of instructions is"
            + " reached");
  }

  @Test
  void trap() {
    Gpu gpu = gpu("");
    int[] x = new int[32];
    x[20] = 9;
    assertFound(
        CUresult.CUDA_ERROR_LAUNCH_FAILED,
        gpu.run("traps", 1, 32, 0, gpu.upload(x)),
        "kernel 'traps' block (0,0,0) thread (20,0,0): trap");
  }

  @Test
  void faultsStayUntilTheDriverIsReset() {
    Gpu gpu = gpu("");
    CUdeviceptr x = gpu.upload(1f);
    assertNotEquals(0, gpu.run("pastTheEnd", 2, 32, 0, gpu.allocate(4)));
    float[] one = new float[1];
    assertFound(
        CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
        JCudaDriver.cuMemcpyDtoH(Pointer.to(one), x, 4),
        "cuMemcpyDtoH_v2: pastTheEnd: kernel 'pastTheEnd'");
    Gpu again = gpu("");
    assertEquals(1f, again.floats(again.upload(1f), 1)[0]);
  }

  @Test
  void wrongParameterBlock() {
    Gpu gpu = gpu("");
    ByteBuffer block = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
    Pointer extra =
        Pointer.to(
            JCudaDriver.CU_LAUNCH_PARAM_BUFFER_POINTER,
            Pointer.to(block),
            JCudaDriver.CU_LAUNCH_PARAM_BUFFER_SIZE,
            Pointer.to(new long[] {12}),
            JCudaDriver.CU_LAUNCH_PARAM_END);
    int status =
        JCudaDriver.cuLaunchKernel(
            gpu.function("copyAll"), 1, 1, 1, 32, 1, 1, 0, null, null, extra);
    assertFound(
        CUresult.CUDA_ERROR_INVALID_VALUE,
        status,
        "cuLaunchKernel: kernel 'copyAll' takes 16 bytes of parameters, `extra` has 12");
  }

  /** How many of several runs have a copy that follows its kernel in another stream. */
  private static int rightCopies(boolean event) {
    int right = 0;
    for (int seed = 1; seed <= 20; seed++) {
      Gpu gpu = gpu("defer=" + seed);
      CUdeviceptr x = gpu.upload(new float[32]);
      CUdeviceptr y = gpu.upload(new float[32]);
      CUstream first = stream();
      CUstream second = stream();
      Gpu.check(
          JCudaDriver.cuLaunchKernel(
              gpu.function("pastTheEnd"),
              1,
              1,
              1,
              32,
              1,
              1,
              0,
              first,
              Pointer.to(Pointer.to(x)),
              null));
      if (event) {
        CUevent done = new CUevent();
        Gpu.check(JCudaDriver.cuEventCreate(done, 0));
        Gpu.check(JCudaDriver.cuEventRecord(done, first));
        Gpu.check(JCudaDriver.cuStreamWaitEvent(second, done, 0));
      }
      Gpu.check(JCudaDriver.cuMemcpyDtoDAsync(y, x, 4 * 32, second));
      Gpu.check(JCudaDriver.cuStreamSynchronize(second));
      right += gpu.floats(y, 32)[3] == 1f ? 1 : 0;
    }
    return right;
  }

  private static CUstream stream() {
    CUstream stream = new CUstream();
    Gpu.check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    return stream;
  }

  @Test
  void unorderedStreams() {
    assertEquals(20, rightCopies(true));
    int right = rightCopies(false);
    assertTrue(right > 0 && right < 20, () -> right + " of 20 are right without an event");
  }

  @Test
  void pinnedMemoryOverwrittenBeforeItsCopyRan() {
    gpu("defer=1");
    Pointer pinned = new Pointer();
    Gpu.check(JCudaDriver.cuMemHostAlloc(pinned, 4, 0));
    FloatBuffer host = pinned.getByteBuffer(0, 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
    CUdeviceptr x = new CUdeviceptr();
    Gpu.check(JCudaDriver.cuMemAlloc(x, 4));
    CUstream stream = stream();
    host.put(0, 1f);
    Gpu.check(JCudaDriver.cuMemcpyHtoDAsync(x, pinned, 4, stream));
    host.put(0, -7f);
    Gpu.check(JCudaDriver.cuStreamSynchronize(stream));
    float[] result = new float[1];
    Gpu.check(JCudaDriver.cuMemcpyDtoH(Pointer.to(result), x, 4));
    assertEquals(-7f, result[0]);
  }
}
