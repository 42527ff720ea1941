package dev.gradus.backend.cuda.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** A device for the emulator's own tests: JCuda with little around it. Each one starts anew. */
final class Gpu {
  static final int BLOCK = 256;

  private static boolean loaded;

  /** Device memory whose address can be asked for. */
  static final class Memory extends CUdeviceptr {
    long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  private CUmodule module = new CUmodule();

  /** A fresh driver in the given modes, with one context. */
  Gpu(String modes) {
    synchronized (Gpu.class) {
      if (!loaded) {
        Emulator.load();
        loaded = true;
      }
    }
    EmulatorControl.reset();
    EmulatorControl.configure(modes);
    check(JCudaDriver.cuInit(0));
    CUdevice device = new CUdevice();
    check(JCudaDriver.cuDeviceGet(device, 0));
    CUcontext context = new CUcontext();
    check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    check(JCudaDriver.cuCtxSetCurrent(context));
  }

  /** Fails with the emulator's words unless the status is success. */
  static void check(int status) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw new AssertionError(CUresult.stringFor(status) + ": " + EmulatorControl.lastError());
    }
  }

  /** The PTX of a resource beside this class. */
  static String resource(String name) {
    try (InputStream in = Gpu.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Loads PTX; its kernels are those that launches name from now on. */
  Gpu with(String ptx) {
    check(load(ptx));
    return this;
  }

  int load(String ptx) {
    byte[] text = ptx.getBytes(StandardCharsets.UTF_8);
    module = new CUmodule();
    return JCudaDriver.cuModuleLoadData(module, Arrays.copyOf(text, text.length + 1));
  }

  CUmodule module() {
    return module;
  }

  Memory allocate(long bytes) {
    Memory pointer = new Memory();
    check(JCudaDriver.cuMemAlloc(pointer, bytes));
    return pointer;
  }

  private Memory upload(Pointer host, long bytes) {
    Memory pointer = allocate(bytes);
    check(JCudaDriver.cuMemcpyHtoD(pointer, host, bytes));
    return pointer;
  }

  Memory upload(float... values) {
    return upload(Pointer.to(values), 4L * values.length);
  }

  Memory upload(double... values) {
    return upload(Pointer.to(values), 8L * values.length);
  }

  Memory upload(int... values) {
    return upload(Pointer.to(values), 4L * values.length);
  }

  Memory upload(long... values) {
    return upload(Pointer.to(values), 8L * values.length);
  }

  Memory upload(byte... values) {
    return upload(Pointer.to(values), values.length);
  }

  float[] floats(CUdeviceptr pointer, int count) {
    float[] values = new float[count];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 4L * count));
    return values;
  }

  double[] doubles(CUdeviceptr pointer, int count) {
    double[] values = new double[count];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 8L * count));
    return values;
  }

  int[] ints(CUdeviceptr pointer, int count) {
    int[] values = new int[count];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 4L * count));
    return values;
  }

  long[] longs(CUdeviceptr pointer, int count) {
    long[] values = new long[count];
    check(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 8L * count));
    return values;
  }

  CUfunction function(String name) {
    CUfunction function = new CUfunction();
    check(JCudaDriver.cuModuleGetFunction(function, module, name));
    return function;
  }

  /** Launches without waiting; arguments are device pointers, int, long, float or double. */
  void launch(String kernel, int grid, int block, int shared, Object... arguments) {
    Pointer[] parameters = new Pointer[arguments.length];
    for (int k = 0; k < arguments.length; k++) {
      parameters[k] = parameter(arguments[k]);
    }
    check(
        JCudaDriver.cuLaunchKernel(
            function(kernel), grid, 1, 1, block, 1, 1, shared, null, Pointer.to(parameters), null));
  }

  private static Pointer parameter(Object argument) {
    if (argument instanceof CUdeviceptr pointer) {
      return Pointer.to(pointer);
    } else if (argument instanceof Integer value) {
      return Pointer.to(new int[] {value});
    } else if (argument instanceof Long value) {
      return Pointer.to(new long[] {value});
    } else if (argument instanceof Float value) {
      return Pointer.to(new float[] {value});
    } else if (argument instanceof Double value) {
      return Pointer.to(new double[] {value});
    }
    throw new IllegalArgumentException("no kernel takes " + argument);
  }

  /** Launches, waits and answers the status that the wait gave. */
  int run(String kernel, int grid, int block, int shared, Object... arguments) {
    launch(kernel, grid, block, shared, arguments);
    return JCudaDriver.cuCtxSynchronize();
  }

  static int blocks(int n) {
    return (n + BLOCK - 1) / BLOCK;
  }
}
