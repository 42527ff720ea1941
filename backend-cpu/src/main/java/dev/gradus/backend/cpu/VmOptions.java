package dev.gradus.backend.cpu;

import java.lang.reflect.InvocationTargetException;

/** HotSpot's own answers. By reflection: the module that has them may be absent. */
final class VmOptions {
  private VmOptions() {}

  /**
   * The value of an option of the virtual machine.
   *
   * @throws ReflectiveOperationException if there is no such option, or nobody to ask
   */
  static String get(String name) throws ReflectiveOperationException {
    Class<?> bean = Class.forName("com.sun.management.HotSpotDiagnosticMXBean");
    Object diagnostics =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getPlatformMXBean", Class.class)
            .invoke(null, bean);
    if (diagnostics == null) {
      throw new InvocationTargetException(null, "no HotSpotDiagnosticMXBean");
    }
    Object option = bean.getMethod("getVMOption", String.class).invoke(diagnostics, name);
    Class<?> type = Class.forName("com.sun.management.VMOption");
    return String.valueOf(type.getMethod("getValue").invoke(option));
  }

  /** The value, or another where nobody knows it. */
  static String get(String name, String other) {
    try {
      return get(name);
    } catch (ReflectiveOperationException | LinkageError e) {
      return other;
    }
  }
}
