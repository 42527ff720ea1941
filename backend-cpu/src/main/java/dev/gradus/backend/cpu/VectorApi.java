package dev.gradus.backend.cpu;

import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Whether the Vector API is used: where its module is there and HotSpot's C2 compiles it to the
 * processor's vectors. Elsewhere its vectors are objects, and hundreds of times slower than plain
 * loops.
 *
 * @param kernels the loops to use
 * @param report what the doctor says: the width, or why there is none and the way out
 * @param absent whether the only thing that is missing is the module
 */
record VectorApi(Kernels kernels, String report, boolean absent) {
  /** What adds the module to a program; no module descriptor asks for it, as it incubates. */
  static final String FLAG = "--add-modules jdk.incubator.vector";

  private static final String MODULE = "jdk.incubator.vector";
  private static final String VECTOR_KERNELS = "dev.gradus.backend.cpu.VectorKernels";

  /** The tier of C2. */
  private static final int C2 = 4;

  private static final AtomicBoolean TOLD = new AtomicBoolean();

  /** What this process has. */
  static VectorApi find() {
    return Found.HERE;
  }

  /** The plain loops, with the reason for them. */
  static VectorApi without(String reason) {
    return new VectorApi(new PlainKernels(), "not used: " + reason, false);
  }

  /** One line, once a process, when the flag would make this process faster. */
  void tell() {
    if (absent && TOLD.compareAndSet(false, true)) {
      System.getLogger("dev.gradus")
          .log(Level.INFO, "the cpu backend is faster with the Vector API: run java with " + FLAG);
    }
  }

  private static VectorApi detect() {
    String obstacle =
        obstacle(
            System.getProperty("java.vm.name", ""),
            System.getProperty("java.vm.info", ""),
            VmOptions.get("UseJVMCICompiler", "false"),
            VmOptions.get("TieredStopAtLevel", String.valueOf(C2)),
            HardwareFma.PRESENT);
    if (!obstacle.isEmpty()) {
      return without(obstacle);
    }
    Optional<Module> module = ModuleLayer.boot().findModule(MODULE);
    return module.isPresent() ? load(module.get()) : withoutModule();
  }

  /** The plain loops, because the module is not there. */
  static VectorApi withoutModule() {
    return new VectorApi(
        new PlainKernels(), "not used: no module " + MODULE + "; run java with " + FLAG, true);
  }

  /** Why the Vector API would not help on this virtual machine; empty where it would. */
  static String obstacle(String vm, String info, String graal, String tier, boolean fma) {
    if (!vm.contains("HotSpot") && !vm.contains("OpenJDK")) {
      return "'" + vm + "' is not HotSpot; run a HotSpot JDK";
    }
    if (graal.equals("true")) {
      return "the compiler is not C2 but Graal's; run with -XX:-UseJVMCICompiler";
    }
    if (info.contains("interpreted")) {
      return "nothing is compiled; run without -Xint";
    }
    if (Integer.parseInt(tier) < C2) {
      return "C2 is off; run without -XX:TieredStopAtLevel=" + tier;
    }
    return fma ? "" : "the processor has no fused multiply-add";
  }

  private static VectorApi load(Module module) {
    // On the module path this module does not read what its descriptor does not name.
    VectorApi.class.getModule().addReads(module);
    try {
      Kernels kernels =
          Class.forName(VECTOR_KERNELS)
              .asSubclass(Kernels.class)
              .getDeclaredConstructor()
              .newInstance();
      return new VectorApi(kernels, kernels.vectorBits() + " bits", false);
    } catch (ReflectiveOperationException | LinkageError e) {
      // An incubating module may change with any version of Java.
      return without("it does not fit this version of Java: " + e);
    }
  }

  /** Holds what was found, once a process. */
  private static final class Found {
    static final VectorApi HERE = detect();
  }
}
