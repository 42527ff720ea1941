package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream captures runs when its graph is launched, and not before. */
class GraphsTest {
  private static CUstream stream() {
    CUstream stream = new CUstream();
    Gpu.check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    return stream;
  }

  private static CUevent event() {
    CUevent event = new CUevent();
    Gpu.check(JCudaDriver.cuEventCreate(event, 0));
    return event;
  }

  private static void scale(Gpu gpu, CUstream stream, CUdeviceptr x, float factor) {
    Pointer parameters =
        Pointer.to(Pointer.to(x), Pointer.to(new float[] {factor}), Pointer.to(new int[] {1}));
    Gpu.check(
        JCudaDriver.cuLaunchKernel(
            gpu.function("scale4"), 1, 1, 1, 32, 1, 1, 0, stream, parameters, null));
  }

  private static void begin(CUstream stream) {
    Gpu.check(
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
  }

  private static CUgraphExec end(CUstream stream) {
    CUgraph graph = new CUgraph();
    Gpu.check(JCudaDriver.cuStreamEndCapture(stream, graph));
    CUgraphExec executable = new CUgraphExec();
    Gpu.check(JCudaDriver.cuGraphInstantiate(executable, graph, 0));
    Gpu.check(JCudaDriver.cuGraphDestroy(graph));
    return executable;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "defer=1", "defer=2,order=3", "race"})
  void aCaptureRunsAtEachLaunch(String modes) {
    Gpu gpu = new Gpu(modes).with(Gpu.resource("samples.ptx"));
    CUstream stream = stream();
    CUstream side = stream();
    CUdeviceptr y = gpu.upload(1f, 1f, 1f, 1f);
    CUdeviceptr values = gpu.upload(1f, 2f, 3f, 4f);
    begin(stream);
    scale(gpu, stream, values, 2);
    CUevent fork = event();
    CUevent join = event();
    Gpu.check(JCudaDriver.cuEventRecord(fork, stream));
    Gpu.check(JCudaDriver.cuStreamWaitEvent(side, fork, 0));
    Gpu.check(JCudaDriver.cuMemcpyDtoDAsync(y, values, 16, side));
    scale(gpu, side, y, 10);
    Gpu.check(JCudaDriver.cuEventRecord(join, side));
    Gpu.check(JCudaDriver.cuStreamWaitEvent(stream, join, 0));
    scale(gpu, stream, values, 3);
    CUgraphExec graph = end(stream);
    assertArrayEquals(new float[] {1, 2, 3, 4}, gpu.floats(values, 4));
    for (int k = 0; k < 2; k++) {
      Gpu.check(JCudaDriver.cuGraphLaunch(graph, stream));
    }
    Gpu.check(JCudaDriver.cuStreamSynchronize(stream));
    assertArrayEquals(new float[] {36, 72, 108, 144}, gpu.floats(values, 4));
    assertArrayEquals(new float[] {120, 240, 360, 480}, gpu.floats(y, 4));
    assertEquals(2, EmulatorControl.counter("graph-launches"));
    assertEquals(6, EmulatorControl.kernel("scale4").launches());
    Gpu.check(JCudaDriver.cuGraphExecDestroy(graph));
    assertEquals(0, EmulatorControl.counter("live-graphs"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "defer=1"})
  void waitingAndAllocatingInvalidateACapture(String modes) {
    new Gpu(modes);
    CUstream stream = stream();
    begin(stream);
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, JCudaDriver.cuStreamSynchronize(stream));
    CUgraph graph = new CUgraph();
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
        JCudaDriver.cuStreamEndCapture(stream, graph));
    begin(stream);
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
        JCudaDriver.cuMemAlloc(new CUdeviceptr(), 8));
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
        JCudaDriver.cuStreamEndCapture(stream, graph));
    Gpu.check(JCudaDriver.cuStreamSynchronize(stream));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "defer=1"})
  void aStreamThatDoesNotComeBackIsNamed(String modes) {
    Gpu gpu = new Gpu(modes).with(Gpu.resource("samples.ptx"));
    CUdeviceptr x = gpu.upload(1f, 2f, 3f, 4f);
    CUstream stream = stream();
    CUstream side = stream();
    begin(stream);
    CUevent fork = event();
    Gpu.check(JCudaDriver.cuEventRecord(fork, stream));
    Gpu.check(JCudaDriver.cuStreamWaitEvent(side, fork, 0));
    scale(gpu, side, x, 2);
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
        JCudaDriver.cuStreamEndCapture(stream, new CUgraph()));
  }
}
