package dev.gradus.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The CUDA driver's functions, as thin as they can be: each returns the driver's status, and the
 * compile refuses a status that is dropped. Addresses are numbers; no Java array goes where the
 * device works while Java runs on.
 */
@CheckReturnValue
final class Cu {
  /** JCuda's version, which is part of its files' names. */
  static final String JCUDA_VERSION = "12.6.0";

  static final int SUCCESS = 0;
  static final int OUT_OF_MEMORY = 2;
  static final int NO_DEVICE = 100;
  static final int INVALID_PTX = 218;
  static final int NO_BINARY_FOR_GPU = 209;
  static final int UNSUPPORTED_PTX_VERSION = 222;
  static final int NOT_FOUND = 500;

  private static final int NAME_BYTES = 256;
  private static final Pointer NO_POINTER = Pointer.to(new NativePointerObject[0]);
  private static final int[] NO_OPTIONS = {};

  private Cu() {}

  /**
   * Loads JCuda's native code.
   *
   * @throws LinkageError if it does not load
   */
  static void initialize() {
    JCudaDriver.setExceptionsEnabled(false);
  }

  /** What the driver calls a status, with its number. */
  static String text(int status) {
    String[] text = new String[1];
    int found = JCudaDriver.cuGetErrorString(status, text);
    return (found == SUCCESS && text[0] != null ? text[0] : "unknown error") + " (" + status + ")";
  }

  // ---- devices

  static int init() {
    return JCudaDriver.cuInit(0);
  }

  static int driverVersion(int[] version) {
    return JCudaDriver.cuDriverGetVersion(version);
  }

  static int deviceCount(int[] count) {
    return JCudaDriver.cuDeviceGetCount(count);
  }

  /** Of what a device is asked. */
  enum Attribute {
    /** The number before the point of its compute capability. */
    MAJOR(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
    /** The number behind the point of its compute capability. */
    MINOR(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
    /** How many multiprocessors it has. */
    MULTIPROCESSORS(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);

    private final int number;

    Attribute(int number) {
      this.number = number;
    }
  }

  /** A device. */
  static final class Device {
    private final CUdevice handle = new CUdevice();
  }

  static int device(int ordinal, Device device) {
    return JCudaDriver.cuDeviceGet(device.handle, ordinal);
  }

  static int name(Device device, StringBuilder name) {
    byte[] text = new byte[NAME_BYTES];
    int status = JCudaDriver.cuDeviceGetName(text, text.length, device.handle);
    int end = 0;
    while (end < text.length && text[end] != 0) {
      end++;
    }
    name.append(new String(text, 0, end, StandardCharsets.UTF_8));
    return status;
  }

  static int attribute(Device device, Attribute attribute, int[] value) {
    return JCudaDriver.cuDeviceGetAttribute(value, attribute.number, device.handle);
  }

  static int totalMemory(Device device, long[] bytes) {
    return JCudaDriver.cuDeviceTotalMem(bytes, device.handle);
  }

  // ---- contexts

  /** A device's primary context, which cuBLAS shares. */
  static final class Context {
    private final CUcontext handle = new CUcontext();
  }

  static int retainPrimary(Device device, Context context) {
    return JCudaDriver.cuDevicePrimaryCtxRetain(context.handle, device.handle);
  }

  static int releasePrimary(Device device) {
    return JCudaDriver.cuDevicePrimaryCtxRelease(device.handle);
  }

  /** Makes a context the calling thread's own: a driver call in another thread does not see it. */
  static int setCurrent(Context context) {
    return JCudaDriver.cuCtxSetCurrent(context.handle);
  }

  static int synchronizeContext() {
    return JCudaDriver.cuCtxSynchronize();
  }

  // ---- kernels

  /** A loaded PTX text. */
  static final class Module {
    private final CUmodule handle = new CUmodule();
  }

  /** A kernel of a module. */
  static final class Function {
    private final CUfunction handle = new CUfunction();
  }

  /**
   * Compiles and loads a PTX text.
   *
   * @param ptx a direct buffer whose text ends with a zero byte
   */
  static int load(Module module, ByteBuffer ptx) {
    return JCudaDriver.cuModuleLoadDataEx(
        module.handle, Pointer.to(ptx), 0, NO_OPTIONS, NO_POINTER);
  }

  static int unload(Module module) {
    return JCudaDriver.cuModuleUnload(module.handle);
  }

  static int function(Module module, String name, Function function) {
    return JCudaDriver.cuModuleGetFunction(function.handle, module.handle, name);
  }

  /**
   * Starts a kernel.
   *
   * @param gridX blocks in the first direction
   * @param gridY blocks in the second
   * @param threadsX threads of a block in the first direction
   * @param threadsY threads in the second
   * @param shared bytes of shared memory that a block has beside what the kernel declares
   * @param block the parameters, as {@link LaunchBlock} lays them out
   */
  static int launch(
      Function function,
      int gridX,
      int gridY,
      int threadsX,
      int threadsY,
      int shared,
      Stream on,
      HostPointer block) {
    return JCudaDriver.cuLaunchKernel(
        function.handle, gridX, gridY, 1, threadsX, threadsY, 1, shared, on.handle, null, block);
  }

  // ---- streams and events

  /** A queue of work on a device. */
  static final class Stream {
    private final CUstream handle = new CUstream();

    CUstream handle() {
      return handle;
    }
  }

  static int create(Stream stream) {
    return JCudaDriver.cuStreamCreate(stream.handle, CUstream_flags.CU_STREAM_NON_BLOCKING);
  }

  static int destroy(Stream stream) {
    return JCudaDriver.cuStreamDestroy(stream.handle);
  }

  static int synchronize(Stream stream) {
    return JCudaDriver.cuStreamSynchronize(stream.handle);
  }

  /** Lets later work on a stream wait for an event. */
  static int await(Stream stream, Event event) {
    return JCudaDriver.cuStreamWaitEvent(stream.handle, event.handle, 0);
  }

  /** A mark in a stream. */
  static final class Event {
    private final CUevent handle = new CUevent();
  }

  static int create(Event event) {
    return JCudaDriver.cuEventCreate(event.handle, CUevent_flags.CU_EVENT_DISABLE_TIMING);
  }

  static int destroy(Event event) {
    return JCudaDriver.cuEventDestroy(event.handle);
  }

  static int record(Event event, Stream stream) {
    return JCudaDriver.cuEventRecord(event.handle, stream.handle);
  }

  static int synchronize(Event event) {
    return JCudaDriver.cuEventSynchronize(event.handle);
  }

  // ---- graphs

  /** Work that a stream recorded, ready to be launched. */
  static final class Graph {
    private final CUgraphExec handle = new CUgraphExec();
  }

  /**
   * From now on a stream records its work instead of doing it. What threads do beside it is left to
   * them.
   */
  static int beginCapture(Stream stream) {
    return JCudaDriver.cuStreamBeginCapture(
        stream.handle, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED);
  }

  /** Ends what {@link #beginCapture} began, and makes it ready. */
  static int endCapture(Stream stream, Graph graph) {
    CUgraph recorded = new CUgraph();
    int status = JCudaDriver.cuStreamEndCapture(stream.handle, recorded);
    if (status != SUCCESS) {
      return status;
    }
    status = JCudaDriver.cuGraphInstantiate(graph.handle, recorded, 0);
    int destroyed = JCudaDriver.cuGraphDestroy(recorded);
    return status != SUCCESS ? status : destroyed;
  }

  static int launch(Graph graph, Stream on) {
    return JCudaDriver.cuGraphLaunch(graph.handle, on.handle);
  }

  static int destroy(Graph graph) {
    return JCudaDriver.cuGraphExecDestroy(graph.handle);
  }

  // ---- memory

  /** A pointer to where a number says: JCuda adds an offset to nothing. */
  static final class At extends CUdeviceptr {
    private static final CUdeviceptr ZERO = new CUdeviceptr();

    At(long address) {
      super(ZERO, address);
    }
  }

  /** A pointer that tells its address. */
  private static final class Told extends CUdeviceptr {
    long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** Pinned memory of the host, which the device reaches while Java runs on. */
  static final class Host {
    private final HostPointer pointer = new HostPointer();

    long address() {
      return pointer.address();
    }

    /** This memory, with the order of bytes that the device has. */
    ByteBuffer buffer() {
      return pointer.getByteBuffer().order(ByteOrder.nativeOrder());
    }
  }

  /** A pointer into the host's memory. */
  static final class HostPointer extends Pointer {
    private HostPointer() {}

    HostPointer(long address) {
      super(address);
    }

    private long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  /**
   * Asks for device memory.
   *
   * @param address gets the address, unless the status is an error
   */
  static int alloc(long bytes, long[] address) {
    Told pointer = new Told();
    int status = JCudaDriver.cuMemAlloc(pointer, bytes);
    if (status == SUCCESS) {
      address[0] = pointer.address();
    }
    return status;
  }

  static int free(long address) {
    return JCudaDriver.cuMemFree(new At(address));
  }

  static int memory(long[] free, long[] total) {
    return JCudaDriver.cuMemGetInfo(free, total);
  }

  /** Asks for at most 1 GiB: JCuda makes a Java buffer of it. */
  static int alloc(Host host, int bytes) {
    return JCudaDriver.cuMemHostAlloc(host.pointer, bytes, 0);
  }

  static int free(Host host) {
    return JCudaDriver.cuMemFreeHost(host.pointer);
  }

  static int toDevice(long to, long hostAddress, long bytes, Stream on) {
    return JCudaDriver.cuMemcpyHtoDAsync(
        new At(to), new HostPointer(hostAddress), bytes, on.handle);
  }

  static int toHost(long hostAddress, long from, long bytes, Stream on) {
    return JCudaDriver.cuMemcpyDtoHAsync(
        new HostPointer(hostAddress), new At(from), bytes, on.handle);
  }

  static int copy(long to, long from, long bytes, Stream on) {
    return JCudaDriver.cuMemcpyDtoDAsync(new At(to), new At(from), bytes, on.handle);
  }

  static int set8(long to, byte value, long count, Stream on) {
    return JCudaDriver.cuMemsetD8Async(new At(to), value, count, on.handle);
  }

  static int set32(long to, int value, long count, Stream on) {
    return JCudaDriver.cuMemsetD32Async(new At(to), value, count, on.handle);
  }
}
