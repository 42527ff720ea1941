package dev.gradus.backend.cuda;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Loads the native code that the backend calls: the driver's and cuBLAS's libraries first, by their
 * paths, then JCuda's, which the linker binds to those already there.
 */
final class NativeLoader {
  private static final String TEMPORARY_FOLDER = "java.io.tmpdir";

  /** The version of CUDA whose libraries JCuda's code was built for. */
  static final int MAJOR = 12;

  private static final int NEXT_MAJOR = 13;

  static final String CUBLAS_REMEDY =
      "install CUDA 12's cuBLAS, by the CUDA 12 toolkit, 'conda install \"libcublas=12.*\"' or 'pip"
          + " install nvidia-cublas-cu12', and name its folder with -D"
          + LibrarySearch.PROPERTY;

  private final Platform platform;
  private final LibrarySearch search;
  private final NativeFiles files;

  NativeLoader(Platform platform, LibrarySearch search, NativeFiles files) {
    this.platform = platform;
    this.search = search;
    this.files = files;
  }

  /** The loader of this process. */
  static NativeLoader ofProcess() throws CudaUnusable {
    Platform platform =
        Platform.of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    return new NativeLoader(
        platform, LibrarySearch.ofProcess(platform), NativeFiles.ofUser(platform));
  }

  /**
   * Loads the driver. Reads nothing large and runs no native code where there is none.
   *
   * @throws CudaUnusable if there is no driver, or it does not load
   */
  void loadDriver() throws CudaUnusable {
    Path driver = search.find(platform.driver());
    if (driver == null && !search.linkerKnows(platform.driver())) {
      throw CudaUnusable.absent(
          "no NVIDIA driver: " + platform.driver() + " was not found",
          "install an NVIDIA driver >= 525, or name the driver's folder with -D"
              + LibrarySearch.PROPERTY);
    }
    preload(driver, "reinstall the NVIDIA driver, or compute on the CPU: -Dgradus.backend=cpu");
    load("JCudaDriver", Cu::initialize);
  }

  /**
   * Loads cuBLAS.
   *
   * @throws CudaUnusable if there is none of the right version, or it does not load
   */
  void loadCuBlas() throws CudaUnusable {
    String file = platform.toolkitFile("cublas", MAJOR);
    Path cublas = search.find(file);
    if (cublas == null && !search.linkerKnows(file)) {
      throw withoutCuBlas(file);
    }
    if (cublas != null) {
      // cuBLAS needs it, and the linker would look for it elsewhere.
      Path light = cublas.resolveSibling(platform.toolkitFile("cublasLt", MAJOR));
      preload(light.toFile().isFile() ? light : null, CUBLAS_REMEDY);
    }
    preload(cublas, CUBLAS_REMEDY);
    load("JCublas2", CuBlas::initialize);
  }

  private CudaUnusable withoutCuBlas(String file) {
    String next = platform.toolkitFile("cublas", NEXT_MAJOR);
    if (search.find(next) == null && !search.linkerKnows(next)) {
      return CudaUnusable.absent("no cuBLAS 12: " + file + " was not found", CUBLAS_REMEDY);
    }
    return CudaUnusable.absent(
        "only cuBLAS 13 was found, JCuda needs 12: no " + file,
        CUBLAS_REMEDY + "; docs/gpu.md has the forwarder to cuBLAS 13");
  }

  private static void preload(@Nullable Path library, String remedy) throws CudaUnusable {
    if (library == null) {
      return;
    }
    try {
      System.load(library.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw CudaUnusable.broken("a library does not load: " + text(e), remedy, e);
    }
  }

  /**
   * Loads one of JCuda's libraries by initialising the class that does so, the temporary folder
   * being ours for so long.
   */
  private void load(String library, Runnable initialize) throws CudaUnusable {
    try {
      Path folder = files.extract(platform.jcudaFile(library, Cu.JCUDA_VERSION));
      synchronized (NativeLoader.class) {
        String before = System.getProperty(TEMPORARY_FOLDER, "");
        System.setProperty(TEMPORARY_FOLDER, folder.toString());
        try {
          initialize.run();
        } finally {
          System.setProperty(TEMPORARY_FOLDER, before);
        }
      }
    } catch (IOException e) {
      throw CudaUnusable.broken(
          "JCuda's native code could not be unpacked: " + e.getMessage(),
          "put org.jcuda:jcuda-natives and jcublas-natives "
              + Cu.JCUDA_VERSION
              + " with the classifier "
              + platform.classifier()
              + " on the class path or module path, and let the folder for temporary files be"
              + " writable",
          e);
    } catch (NoClassDefFoundError e) {
      throw CudaUnusable.broken(
          "no class " + text(e),
          "put org.jcuda:jcuda and jcublas "
              + Cu.JCUDA_VERSION
              + " on the class path or module path",
          e);
    } catch (LinkageError e) {
      throw CudaUnusable.broken(
          "JCuda's native code does not load: " + text(e),
          "look whether the folder for temporary files may hold programs, and the NVIDIA driver is"
              + " whole",
          e);
    }
  }

  /** What the linker said, out of the many lines that JCuda makes of it. */
  static String text(LinkageError e) {
    String mark = "UnsatisfiedLinkError: ";
    String message = String.valueOf(e.getMessage());
    String said = message.lines().findFirst().orElse(message);
    for (String line : message.lines().toList()) {
      int at = line.indexOf(mark);
      if (at >= 0 && !line.contains("java.library.path")) {
        said = line.substring(at + mark.length()).strip();
      }
    }
    return said;
  }
}
