package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.spi.Probe;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class BlasSearchTest {
  /** What the report says of products where the class path lacks what these words name. */
  private static String productsWithout(String... words) throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      String file = Path.of(entry).getFileName().toString();
      if (List.of(words).stream().noneMatch(file::contains)) {
        urls.add(Path.of(entry).toUri().toURL());
      }
    }
    try (URLClassLoader loader =
        new URLClassLoader(
            urls.toArray(URL[]::new), ClassLoader.getSystemClassLoader().getParent())) {
      Object provider =
          loader
              .loadClass("dev.gradus.backend.cpu.CpuBackendProvider")
              .getConstructor()
              .newInstance();
      Object probe = provider.getClass().getMethod("probe").invoke(provider);
      Map<?, ?> versions = (Map<?, ?>) probe.getClass().getMethod("versions").invoke(probe);
      return String.valueOf(versions.get("matrix products"));
    }
  }

  @Test
  void withoutTheJarsProductsAreComputedInJava() throws Exception {
    assertEquals(
        "Java: no native library, no class dev/ludovic/netlib/blas/BLAS; put"
            + " org.bytedeco:openblas and dev.ludovic.netlib:blas on the class path; from a module"
            + " path take them with --add-modules ALL-MODULE-PATH",
        productsWithout("blas-", "openblas", "javacpp", "arpack"));
  }

  @Test
  void withoutTheLibraryForThisSystemTheClassifierIsTheRemedy() throws Exception {
    String said = productsWithout("linux-x86_64");
    assertTrue(said.startsWith("Java: no native library, no jni"), said);
    assertTrue(
        said.endsWith(
            "; add the jars of org.bytedeco:openblas and org.bytedeco:javacpp with this system's"
                + " classifier, as linux-x86_64"),
        said);
  }

  @Test
  void aLibraryThatTheHostNamesAndThatIsNotThereIsNamed() throws Exception {
    System.setProperty(NetlibBlas.LIBRARY_PATH, "no-such-library.so");
    try {
      assertEquals(
          "Java: no native library, 'no-such-library.so' does not load; correct"
              + " -Ddev.ludovic.netlib.blas.nativeLibPath, or leave it out",
          productsWithout("nothing"));
    } finally {
      System.clearProperty(NetlibBlas.LIBRARY_PATH);
    }
  }

  @Test
  void theLibraryWorksHere() {
    BlasSearch found = BlasSearch.result();
    assumeTrue(found.blas() != null, () -> found.reason() + "; " + found.remedy());
    NativeBlas blas = found.blas();
    float[] c = {1, 1};
    // [1 2; 3 4] [5; 6], the second row's operand transposed
    blas.sgemm(
        false,
        true,
        2,
        1,
        2,
        new float[] {1, 2, 3, 4},
        0,
        2,
        new float[] {5, 6},
        0,
        2,
        true,
        c,
        0,
        1);
    assertEquals(18, c[0]);
    assertEquals(40, c[1]);
    assertEquals(
        "OpenBLAS, in tiles on one thread each: bits do not depend on the number of threads",
        new CpuDetails(CpuSettings.ofProcess()).get("matrix products"));
    assertEquals(
        "OpenBLAS, whole, on its own threads: bits may depend on their number",
        new CpuDetails(CpuSettings.ofProcess().withBlas(BlasUse.WHOLE)).get("matrix products"));
  }

  @Test
  void itCanBeTurnedOff() {
    assertEquals(
        "Java: gradus.blas is off",
        new CpuDetails(CpuSettings.ofProcess().withBlas(BlasUse.OFF)).get("matrix products"));
  }

  @Test
  void aWrongPropertyMakesTheBackendUnusableAndSaysWhy() {
    System.setProperty(BlasUse.PROPERTY, "fast");
    try {
      Probe probe = new CpuBackendProvider().probe();
      assertEquals(Probe.Status.BROKEN, probe.status());
      assertEquals("gradus.blas must be one of tiled, whole, off but is 'fast'", probe.reason());
      assertEquals("correct the property, or leave it out", probe.remedy());
      assertThrows(IllegalArgumentException.class, () -> new CpuBackendProvider().open(0));
      System.setProperty(BlasUse.PROPERTY, " whole ");
      assertEquals(BlasUse.WHOLE, BlasUse.configured());
    } finally {
      System.clearProperty(BlasUse.PROPERTY);
    }
    assertEquals(BlasUse.TILED, BlasUse.configured());
  }
}
