package dev.gradus.backend.cpu;

import java.util.AbstractMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What a backend with some settings runs on, for the report. Found out when it is read: it loads
 * the native library, which a program without large products does not need.
 */
final class CpuDetails extends AbstractMap<String, String> {
  private final CpuSettings settings;

  CpuDetails(CpuSettings settings) {
    this.settings = settings;
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    Map<String, String> d = new LinkedHashMap<>();
    d.put("threads", Integer.toString(settings.threads()));
    d.put("hardware FMA", settings.fma() ? "yes" : "no: emulated, bit equality is off");
    d.put("vector API", settings.vectors().report());
    d.put("matrix products", products());
    d.put("JDK", System.getProperty("java.version") + ", " + System.getProperty("java.vm.name"));
    d.put("architecture", System.getProperty("os.arch"));
    d.put("heap", (Runtime.getRuntime().maxMemory() >> 20) + " MiB");
    return d.entrySet();
  }

  private String products() {
    if (settings.blas() == BlasUse.OFF) {
      return "Java: " + BlasUse.PROPERTY + " is off";
    }
    BlasSearch found = BlasSearch.result();
    NativeBlas blas = found.blas();
    if (blas == null) {
      return "Java: no native library, " + found.reason() + "; " + found.remedy();
    }
    if (blas.isHosts()) {
      return blas.name() + ", whole, on its own threads: bits may depend on their number";
    }
    return blas.name()
        + (settings.blas() == BlasUse.WHOLE
            ? ", whole, on its own threads: bits may depend on their number"
            : ", in tiles on one thread each: bits do not depend on the number of threads");
  }
}
