package dev.gradus.backend.cuda;

import dev.gradus.spi.Probe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What CUDA has on this machine, found out once a process. Never throws. */
final class CudaProbe {
  /** The least driver: the one that came with CUDA 12.0. */
  private static final int LEAST_DRIVER = 12_000;

  private static final int LEAST_MAJOR = 7;
  private static final int LEAST_MINOR = 5;

  private CudaProbe() {}

  private static final class Once {
    static final Probe RESULT = find();
  }

  /** The result for this process. */
  static Probe result() {
    return Once.RESULT;
  }

  private static Probe find() {
    try {
      return find(NativeLoader.ofProcess());
    } catch (CudaUnusable e) {
      return e.probe();
    }
  }

  /** A probe of what a loader finds. */
  static Probe find(NativeLoader loader) {
    try {
      loader.loadDriver();
      Map<String, String> versions = new LinkedHashMap<>();
      driver(versions);
      List<String> devices = devices(versions);
      takesKernels(devices.get(0));
      versions.put("matrix products", BlasLibrary.load(loader).description());
      versions.putAll(settings());
      return Probe.usable(devices, versions);
    } catch (CudaUnusable e) {
      return e.probe();
    }
  }

  /** What the properties ask for; a wrong one is refused when a device is opened. */
  private static Map<String, String> settings() {
    try {
      return CudaSettings.of(System.getProperties()).details();
    } catch (IllegalArgumentException e) {
      return Map.of("settings", String.valueOf(e.getMessage()));
    }
  }

  /** Lets the driver compile the kernels for a device; it keeps the result for the next time. */
  private static void takesKernels(String name) throws CudaUnusable {
    int ordinal = Integer.parseInt(name.substring(name.indexOf(':') + 1));
    Cu.Device device = new Cu.Device();
    Cu.Context context = new Cu.Context();
    check(Cu.device(ordinal, device), "cuDeviceGet");
    check(Cu.retainPrimary(device, context), "cuDevicePrimaryCtxRetain");
    try {
      check(Cu.setCurrent(context), "cuCtxSetCurrent");
      Kernels.load(name).close();
    } finally {
      Status.ignore(Cu.releasePrimary(device));
    }
  }

  private static void driver(Map<String, String> versions) throws CudaUnusable {
    int status = Cu.init();
    if (status == Cu.NO_DEVICE) {
      throw noDevice();
    }
    check(status, "cuInit");
    int[] version = new int[1];
    check(Cu.driverVersion(version), "cuDriverGetVersion");
    if (version[0] < LEAST_DRIVER) {
      throw CudaUnusable.broken(
          "the NVIDIA driver is too old: it has CUDA "
              + version(version[0])
              + ", needed is "
              + version(LEAST_DRIVER),
          "install an NVIDIA driver >= 525",
          null);
    }
    versions.put("driver", "CUDA " + version(version[0]));
    versions.put("jcuda", Cu.JCUDA_VERSION);
  }

  private static CudaUnusable noDevice() {
    String visible = System.getenv("CUDA_VISIBLE_DEVICES");
    return CudaUnusable.absent(
        "the NVIDIA driver finds no device"
            + (visible == null ? "" : ", CUDA_VISIBLE_DEVICES being '" + visible + "'"),
        "look whether nvidia-smi lists one, and CUDA_VISIBLE_DEVICES does not hide it");
  }

  private static List<String> devices(Map<String, String> versions) throws CudaUnusable {
    int[] count = new int[1];
    check(Cu.deviceCount(count), "cuDeviceGetCount");
    if (count[0] == 0) {
      throw noDevice();
    }
    List<String> devices = new ArrayList<>();
    String old = "";
    for (int i = 0; i < count[0]; i++) {
      Cu.Device device = new Cu.Device();
      check(Cu.device(i, device), "cuDeviceGet");
      StringBuilder name = new StringBuilder();
      check(Cu.name(device, name), "cuDeviceGetName");
      int major = attribute(device, Cu.Attribute.MAJOR);
      int minor = attribute(device, Cu.Attribute.MINOR);
      String text = name + ", compute " + major + "." + minor;
      if (major > LEAST_MAJOR || (major == LEAST_MAJOR && minor >= LEAST_MINOR)) {
        devices.add("cuda:" + i);
        versions.put("cuda:" + i, text);
      } else {
        old = text;
      }
    }
    if (devices.isEmpty()) {
      throw CudaUnusable.absent(
          "the device is too old: " + old + ", needed is " + LEAST_MAJOR + "." + LEAST_MINOR,
          "use a device of the Turing generation or later, or the CPU: -Dgradus.backend=cpu");
    }
    return devices;
  }

  private static int attribute(Cu.Device device, Cu.Attribute attribute) throws CudaUnusable {
    int[] value = new int[1];
    check(Cu.attribute(device, attribute, value), "cuDeviceGetAttribute");
    return value[0];
  }

  private static void check(int status, String call) throws CudaUnusable {
    if (status != Cu.SUCCESS) {
      throw CudaUnusable.broken(
          call + " failed: " + Cu.text(status),
          "look whether nvidia-smi works, and the driver fits the kernel that runs",
          null);
    }
  }

  /** CUDA's number for a version, 12040, as people write it: 12.4. */
  static String version(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }
}
