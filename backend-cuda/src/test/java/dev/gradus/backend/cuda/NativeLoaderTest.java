package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.spi.Probe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLoaderTest {
  private static final String CUBLAS_REMEDY =
      "install CUDA 12's cuBLAS, by the CUDA 12 toolkit, 'conda install \"libcublas=12.*\"' or 'pip"
          + " install nvidia-cublas-cu12', and name its folder with -Dgradus.cuda.lib";

  @TempDir private Path root;

  private NativeLoader loader() {
    LibrarySearch search =
        new LibrarySearch(
            Platform.LINUX,
            root.resolve("lib").toString(),
            Map.<String, String>of()::get,
            root,
            root);
    return new NativeLoader(Platform.LINUX, search, new NativeFiles(root.resolve("cache")));
  }

  private Path file(String name) throws IOException {
    Files.createDirectories(root.resolve("lib"));
    return Files.writeString(root.resolve("lib").resolve(name), "no library");
  }

  @Test
  void withoutADriverNothingIsUnpacked() {
    CudaUnusable e = assertThrows(CudaUnusable.class, () -> loader().loadDriver());
    assertEquals("no NVIDIA driver: libcuda.so.1 was not found", e.reason());
    assertEquals(
        "install an NVIDIA driver >= 525, or name the driver's folder with -Dgradus.cuda.lib",
        e.remedy());
    assertEquals(Probe.Status.ABSENT, e.probe().status());
    assertEquals(false, Files.exists(root.resolve("cache")));
  }

  @Test
  void aDriverThatDoesNotLoadIsNamed() throws IOException {
    Path driver = file("libcuda.so.1");
    CudaUnusable e = assertThrows(CudaUnusable.class, () -> loader().loadDriver());
    assertEquals(
        "a library does not load: " + driver + ": " + driver + ": file too short", e.reason());
    assertEquals(
        "reinstall the NVIDIA driver, or compute on the CPU: -Dgradus.backend=cpu", e.remedy());
    assertEquals(Probe.Status.BROKEN, e.probe().status());
  }

  @Test
  void withoutCuBlasTheWaysToGetItAreTold() {
    CudaUnusable e = assertThrows(CudaUnusable.class, () -> loader().loadCuBlas());
    assertEquals("no cuBLAS 12: libcublas.so.12 was not found", e.reason());
    assertEquals(CUBLAS_REMEDY, e.remedy());
  }

  @Test
  void cuBlas13AloneIsNotEnough() throws IOException {
    file("libcublas.so.13");
    CudaUnusable e = assertThrows(CudaUnusable.class, () -> loader().loadCuBlas());
    assertEquals("only cuBLAS 13 was found, JCuda needs 12: no libcublas.so.12", e.reason());
    assertEquals(CUBLAS_REMEDY + "; docs/gpu.md has the forwarder to cuBLAS 13", e.remedy());
  }

  @Test
  void theLinkersWordsAreTakenOutOfManyLines() {
    String text =
        """
        Error while loading native library "JCudaDriver-12.6.0-linux-x86_64"
        Operating system name: Linux
        java.lang.UnsatisfiedLinkError: no JCudaDriver in java.library.path: /usr/lib
        java.lang.UnsatisfiedLinkError: /t/libJCudaDriver.so: libcuda.so.1: cannot open shared object file
        """;
    assertEquals(
        "/t/libJCudaDriver.so: libcuda.so.1: cannot open shared object file",
        NativeLoader.text(new UnsatisfiedLinkError(text)));
    assertEquals("one line", NativeLoader.text(new UnsatisfiedLinkError("one line")));
  }
}
