package dev.gradus.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The kernels of a context: the PTX of the jar, compiled by the driver. */
final class Kernels {
  private static final String RESOURCE = "kernels.ptx";

  /** The version of PTX that every driver that knows the devices takes. */
  private static final String LEAST_VERSION = "6.3";

  private final Cu.Module module;
  private final Map<String, Kernel> byName = new ConcurrentHashMap<>();

  private Kernels(Cu.Module module) {
    this.module = module;
  }

  /**
   * Loads the kernels into the current context.
   *
   * @param device the device, for messages
   * @throws CudaUnusable if the jar has none, or the driver refuses them
   */
  static Kernels load(String device) throws CudaUnusable {
    return load(ptx(), device);
  }

  static Kernels load(String ptx, String device) throws CudaUnusable {
    Cu.Module module = new Cu.Module();
    int status = Cu.load(module, text(ptx));
    if (status == Cu.UNSUPPORTED_PTX_VERSION) {
      status = Cu.load(module, text(withVersion(ptx, LEAST_VERSION)));
    }
    return switch (status) {
      case Cu.SUCCESS -> new Kernels(module);
      case Cu.UNSUPPORTED_PTX_VERSION, Cu.INVALID_PTX ->
          throw refused(
              "the driver refuses the PTX of the kernels on " + device,
              status,
              "install a newer NVIDIA driver");
      case Cu.NO_BINARY_FOR_GPU ->
          throw refused(
              "the driver makes no kernel image for " + device,
              status,
              "install a driver that knows the device, or choose another with"
                  + " CUDA_VISIBLE_DEVICES");
      default ->
          throw refused(
              "the kernels do not load on " + device, status, "look whether nvidia-smi works");
    };
  }

  private static CudaUnusable refused(String reason, int status, String remedy) {
    return CudaUnusable.broken(reason + ": " + Cu.text(status), remedy, null);
  }

  /**
   * The PTX of the jar.
   *
   * @throws CudaUnusable if it is not there
   */
  static String ptx() throws CudaUnusable {
    try (InputStream in = Kernels.class.getResourceAsStream(RESOURCE)) {
      if (in != null) {
        return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      }
      throw CudaUnusable.broken(
          "the jar has no kernels: no " + RESOURCE, "rebuild gradus-backend-cuda", null);
    } catch (IOException e) {
      throw CudaUnusable.broken(
          "the kernels cannot be read: " + e.getMessage(), "rebuild gradus-backend-cuda", e);
    }
  }

  /** The text with another version in its header. */
  static String withVersion(String ptx, String version) {
    return ptx.replaceFirst("(?m)^\\.version .*$", ".version " + version);
  }

  private static ByteBuffer text(String ptx) {
    byte[] bytes = ptx.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length + 1);
    direct.put(bytes).put((byte) 0).flip();
    return direct;
  }

  /** A kernel; null if there is none of this name. */
  @Nullable Kernel find(String name) {
    Kernel known = byName.get(name);
    if (known == null) {
      Cu.Function function = new Cu.Function();
      if (Cu.function(module, name, function) == Cu.SUCCESS) {
        known = new Kernel(name, function);
        byName.put(name, known);
      }
    }
    return known;
  }

  /**
   * A kernel that has to be there.
   *
   * @throws IllegalStateException if the PTX has none of this name
   */
  Kernel get(String name) {
    Kernel kernel = find(name);
    if (kernel == null) {
      throw new IllegalStateException("the PTX has no kernel '" + name + "'");
    }
    return kernel;
  }

  void close() {
    Status.ignore(Cu.unload(module));
  }
}
