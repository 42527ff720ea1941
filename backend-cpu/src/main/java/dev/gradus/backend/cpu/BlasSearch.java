package dev.gradus.backend.cpu;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The search for a native library, made once a process, by the first product that is large enough
 * for one or by the report.
 *
 * @param blas the library; null where there is none
 * @param reason why there is none; empty where there is one
 * @param remedy what can be done about it; empty where there is one
 */
record BlasSearch(@Nullable NativeBlas blas, String reason, String remedy) {

  /** What was found. */
  static BlasSearch result() {
    return Once.RESULT;
  }

  private static final class Once {
    static final BlasSearch RESULT = search();
  }

  private static BlasSearch search() {
    for (String property : List.of(NetlibBlas.LIBRARY_PATH, NetlibBlas.LIBRARY)) {
      String chosen = System.getProperty(property);
      if (chosen != null) {
        BlasSearch found = load();
        return found.blas != null
            ? found
            : failed(
                "'" + chosen + "' does not load", "correct -D" + property + ", or leave it out");
      }
    }
    return load();
  }

  private static BlasSearch load() {
    try {
      return new BlasSearch(NetlibBlas.load(), "", "");
    } catch (NoClassDefFoundError e) {
      return failed(
          "no class " + e.getMessage(),
          "put org.bytedeco:openblas and dev.ludovic.netlib:blas on the class path; from a module"
              + " path take them with --add-modules ALL-MODULE-PATH");
    } catch (LinkageError e) {
      return failed(
          firstLine(e),
          "add the jars of org.bytedeco:openblas and org.bytedeco:javacpp with this system's"
              + " classifier, as linux-x86_64");
    } catch (Exception e) {
      return failed(
          firstLine(e),
          "netlib needs Linux with glibc 2.34 or later, macOS or Windows, and a temporary folder"
              + " that may hold programs");
    }
  }

  private static BlasSearch failed(String reason, String remedy) {
    return new BlasSearch(null, reason, remedy);
  }

  private static String firstLine(Throwable t) {
    String text = t.getMessage() == null ? t.toString() : t.getMessage();
    return text.lines().findFirst().orElse(t.toString());
  }
}
