package dev.gradus.backend.cpu;

import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.blas.NativeBLAS;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * A native library's {@code sgemm} through dev.ludovic.netlib, which pins Java arrays (JNI critical
 * sections) in place of copying them, over the OpenBLAS in org.bytedeco's jar. Where the host
 * application has told netlib which library to use, MKL for one, it is that library, and its
 * threads are its own. Netlib loads one library a process: a host that used it before has to name
 * its library in the property, so that Gradus knows of it. The one class that needs those jars.
 */
final class NetlibBlas implements NativeBlas {
  static final String LIBRARY_PATH = "dev.ludovic.netlib.blas.nativeLibPath";
  static final String LIBRARY = "dev.ludovic.netlib.blas.nativeLib";
  private static final String NETLIB_LOGGER = "dev.ludovic.netlib.blas.InstanceBuilder";
  private static final String OPENBLAS = "libopenblas_nolapack";

  private final BLAS blas;
  private final String name;
  private final boolean hosts;
  private int threads;

  private NetlibBlas(BLAS blas, String name, boolean hosts) {
    this.blas = blas;
    this.name = name;
    this.hosts = hosts;
  }

  /**
   * Loads the library.
   *
   * @throws LinkageError if a class or the library is missing, or the library does not load
   * @throws RuntimeException if netlib has no native code for this machine
   */
  static NativeBlas load() throws IOException {
    String chosen = System.getProperty(LIBRARY_PATH, System.getProperty(LIBRARY));
    if (chosen != null) {
      return new NetlibBlas(netlib(), chosen + ", the host application's choice", true);
    }
    String library = openBlas().toString();
    System.setProperty(LIBRARY_PATH, library);
    try {
      return new NetlibBlas(netlib(), "OpenBLAS", false);
    } finally {
      System.clearProperty(LIBRARY_PATH);
    }
  }

  /** The file of the library, which JavaCPP has taken out of its jar and loaded. */
  private static Path openBlas() throws IOException {
    Path folder = Path.of(Loader.load(openblas_nolapack.class)).getParent();
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith(OPENBLAS))
          .filter(f -> !Files.isSymbolicLink(f))
          .findFirst()
          .orElseThrow(() -> new UnsatisfiedLinkError("no " + OPENBLAS + " in " + folder));
    }
  }

  /** Netlib's native entry, without the lines that it logs at its start. */
  private static BLAS netlib() {
    Logger log = Logger.getLogger(NETLIB_LOGGER);
    Level before = log.getLevel();
    log.setLevel(Level.OFF);
    try {
      return NativeBLAS.getInstance();
    } finally {
      log.setLevel(before);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean isHosts() {
    return hosts;
  }

  @Override
  public synchronized void threads(int count) {
    if (!hosts && threads != count) {
      openblas_nolapack.blas_set_num_threads(count);
      threads = count;
    }
  }

  // A row-major matrix is its transpose in the library's order, so the operands change places.
  @Override
  public void sgemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      float[] a,
      int aAt,
      int lda,
      float[] b,
      int bAt,
      int ldb,
      boolean accumulate,
      float[] c,
      int cAt,
      int ldc) {
    blas.sgemm(
        transB ? "T" : "N",
        transA ? "T" : "N",
        n,
        m,
        k,
        1f,
        b,
        bAt,
        ldb,
        a,
        aAt,
        lda,
        accumulate ? 1f : 0f,
        c,
        cAt,
        ldc);
  }
}
