package dev.gradus.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

final class VectorApiTest {
  private static final String HOTSPOT = "OpenJDK 64-Bit Server VM";

  private static String obstacle(String vm, String info, String graal, String tier) {
    return VectorApi.obstacle(vm, info, graal, tier, true);
  }

  @Test
  void itIsUsedInTheseTests() {
    // Surefire gives the flag.
    VectorApi here = VectorApi.find();
    assertEquals(here.kernels().vectorBits() + " bits", here.report());
    assertTrue(here.kernels().vectorBits() >= 128, here.report());
    assertFalse(here.absent());
  }

  @Test
  void whereItWouldNotHelpTheReasonIsSaid() {
    assertEquals("", obstacle(HOTSPOT, "mixed mode, sharing", "false", "4"));
    assertEquals("", obstacle("Java HotSpot(TM) 64-Bit Server VM", "mixed mode", "false", "4"));
    assertEquals(
        "'Eclipse OpenJ9 VM' is not HotSpot; run a HotSpot JDK",
        obstacle("Eclipse OpenJ9 VM", "", "false", "4"));
    assertEquals(
        "the compiler is not C2 but Graal's; run with -XX:-UseJVMCICompiler",
        obstacle(HOTSPOT, "mixed mode", "true", "4"));
    assertEquals(
        "nothing is compiled; run without -Xint",
        obstacle(HOTSPOT, "interpreted mode", "false", "4"));
    assertEquals(
        "C2 is off; run without -XX:TieredStopAtLevel=1",
        obstacle(HOTSPOT, "mixed mode, emulated-client", "false", "1"));
    assertEquals(
        "the processor has no fused multiply-add",
        VectorApi.obstacle(HOTSPOT, "mixed mode", "false", "4", false));
    assertEquals("not used: C2 is off", VectorApi.without("C2 is off").report());
  }

  @Test
  void anAbsentModuleIsToldOnceWithTheFlag() {
    List<String> lines = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            lines.add(line.getLevel() + " " + line.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger log = Logger.getLogger("dev.gradus");
    log.addHandler(handler);
    try {
      VectorApi.without("a reason that no flag removes").tell();
      VectorApi.withoutModule().tell();
      VectorApi.withoutModule().tell();
    } finally {
      log.removeHandler(handler);
    }
    assertEquals(
        List.of(
            "INFO the cpu backend is faster with the Vector API: run java with --add-modules"
                + " jdk.incubator.vector"),
        lines);
    assertEquals(
        "not used: no module jdk.incubator.vector; run java with --add-modules"
            + " jdk.incubator.vector",
        VectorApi.withoutModule().report());
  }
}
