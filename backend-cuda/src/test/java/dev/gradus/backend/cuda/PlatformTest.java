package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class PlatformTest {

  @Test
  void linuxAndWindowsOnX86HaveNativeCode() throws CudaUnusable {
    assertEquals(Platform.LINUX, Platform.of("Linux", "amd64"));
    assertEquals(Platform.WINDOWS, Platform.of("Windows 11", "amd64"));
  }

  @Test
  void otherSystemsAreNamed() {
    String text = "JCuda has native code for Linux and Windows on x86-64, this is ";
    CudaUnusable mac = assertThrows(CudaUnusable.class, () -> Platform.of("Mac OS X", "aarch64"));
    assertEquals(text + "Mac OS X on aarch64", mac.reason());
    assertEquals("compute on the CPU here: -Dgradus.backend=cpu", mac.remedy());
    CudaUnusable arm = assertThrows(CudaUnusable.class, () -> Platform.of("Linux", "aarch64"));
    assertEquals(text + "Linux on aarch64", arm.reason());
  }

  @Test
  void filesAreNamedAsTheSystemDoes() {
    assertEquals("libcublas.so.12", Platform.LINUX.toolkitFile("cublas", 12));
    assertEquals("cublas64_12.dll", Platform.WINDOWS.toolkitFile("cublas", 12));
    assertEquals(
        "libJCudaDriver-1.2.3-linux-x86_64.so", Platform.LINUX.jcudaFile("JCudaDriver", "1.2.3"));
    assertEquals(
        "JCudaDriver-1.2.3-windows-x86_64.dll", Platform.WINDOWS.jcudaFile("JCudaDriver", "1.2.3"));
  }

  @Test
  void theVersionIsThatOfTheJars() {
    assertEquals(jcuda.JCudaVersion.get(), Cu.JCUDA_VERSION);
  }
}
