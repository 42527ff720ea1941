package dev.gradus.backend.cuda;

import java.util.Locale;

/** The systems that JCuda has native code for, and what files are called on each. */
enum Platform {
  /** Linux on x86-64. */
  LINUX("linux-x86_64", "lib", ".so", "libcuda.so.1"),
  /** Windows on x86-64. */
  WINDOWS("windows-x86_64", "", ".dll", "nvcuda.dll");

  private final String classifier;
  private final String prefix;
  private final String suffix;
  private final String driver;

  Platform(String classifier, String prefix, String suffix, String driver) {
    this.classifier = classifier;
    this.prefix = prefix;
    this.suffix = suffix;
    this.driver = driver;
  }

  /**
   * The platform of this process.
   *
   * @throws CudaUnusable if JCuda has no native code for it
   */
  static Platform of(String os, String arch) throws CudaUnusable {
    boolean x86 = arch.equals("amd64") || arch.equals("x86_64");
    String name = os.toLowerCase(Locale.ROOT);
    if (x86 && name.startsWith("linux")) {
      return LINUX;
    }
    if (x86 && name.startsWith("windows")) {
      return WINDOWS;
    }
    throw CudaUnusable.absent(
        "JCuda has native code for Linux and Windows on x86-64, this is " + os + " on " + arch,
        "compute on the CPU here: -Dgradus.backend=cpu");
  }

  /** The classifier of JCuda's jars with native code. */
  String classifier() {
    return classifier;
  }

  /** The driver's library. */
  String driver() {
    return driver;
  }

  /** The file of one of JCuda's libraries, as {@code JCudaDriver}. */
  String jcudaFile(String library, String version) {
    return prefix + library + "-" + version + "-" + classifier + suffix;
  }

  /** The file of a library of a CUDA toolkit, as {@code cublas}. */
  String toolkitFile(String library, int major) {
    return this == LINUX ? "lib" + library + ".so." + major : library + "64_" + major + ".dll";
  }
}
