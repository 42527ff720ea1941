package dev.gradus.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BackendsTest {
  private static final String FAST = TestProviders.Fast.class.getName();
  private static final String SLOW = TestProviders.Slow.class.getName();
  private static final String EQUAL = TestProviders.Equal.class.getName();
  private static final String ABSENT = TestProviders.Absent.class.getName();
  private static final String BROKEN = TestProviders.Broken.class.getName();
  private static final String CUDA_TEXT =
      "backend 'cuda' is not usable: libcuda.so.1: cannot open shared object file (install an"
          + " NVIDIA driver >= 525, or use -Dgradus.backend=cpu)";

  @TempDir Path directory;
  private String property;

  @BeforeEach
  void withoutProperty() {
    property = System.clearProperty(Backends.PROPERTY);
    Assumptions.assumeTrue(
        System.getenv(Backends.ENVIRONMENT) == null,
        "the environment names a backend, which decides in these tests");
  }

  @AfterEach
  void restoreProperty() {
    System.clearProperty(Backends.PROPERTY);
    if (property != null) {
      System.setProperty(Backends.PROPERTY, property);
    }
  }

  private String open(String request, String... providers) throws Exception {
    return IsolatedBackends.with(directory, providers).open(request);
  }

  private String report(String... providers) throws Exception {
    return IsolatedBackends.with(directory, providers).report();
  }

  @Test
  void theHighestPriorityWinsWhenNobodyAsks() throws Exception {
    assertEquals("fast:0", open(null, SLOW, FAST, EQUAL));
    assertTrue(report(SLOW, FAST).startsWith("backend: fast (decided by priority)\n"));
  }

  @Test
  void equalPrioritiesAreDecidedByName() throws Exception {
    assertEquals("equal:0", open(null, SLOW, EQUAL));
    assertEquals("equal:0", open(null, EQUAL, SLOW));
  }

  @Test
  void theArgumentNamesABackendAndItsDevice() throws Exception {
    assertEquals("slow:0", open("slow", FAST, SLOW));
    assertEquals("slow:3", open(" slow:3 ", FAST, SLOW));
  }

  @Test
  void thePropertyDecidesWithoutAnArgument() throws Exception {
    System.setProperty(Backends.PROPERTY, "slow:1");
    assertEquals("slow:1", open(null, FAST, SLOW));
    assertEquals("fast:0", open("fast", FAST, SLOW));
    assertTrue(
        report(FAST, SLOW)
            .startsWith("backend: slow (decided by the system property gradus.backend)\n"));
    System.setProperty(Backends.PROPERTY, " ");
    assertEquals("fast:0", open(null, FAST, SLOW));
  }

  @Test
  void theEnvironmentDecidesWithoutArgumentAndProperty() throws Exception {
    Assumptions.assumeTrue(
        BackendsTest.class.getResource("BackendsTest.class").getProtocol().equals("file"),
        "the child process is given the folder of the classes");
    List<String> cp = new ArrayList<>();
    for (Class<?> c : new Class<?>[] {Backends.class, BackendsTest.class}) {
      cp.add(Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
    }
    ProcessBuilder child =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            String.join(File.pathSeparator, cp),
            EnvironmentMain.class.getName());
    child.environment().put(Backends.ENVIRONMENT, "nothing:2");
    Process p = child.redirectErrorStream(true).start();
    String said = new String(p.getInputStream().readAllBytes(), "UTF-8").strip();
    assertTrue(p.waitFor(1, TimeUnit.MINUTES));
    assertTrue(
        said.startsWith(
            "backend 'nothing' (from the environment variable GRADUS_BACKEND) was not found"),
        said);
  }

  /** Opens what the environment asks for. */
  static final class EnvironmentMain {
    private EnvironmentMain() {}

    public static void main(String[] args) {
      try {
        Backends.open(null);
      } catch (BackendException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void anUnusableBackendAskedForByNameIsNotReplaced() throws Exception {
    assertEquals(
        "BackendException: " + CUDA_TEXT + " <- UnsatisfiedLinkError", open("cuda", ABSENT, FAST));
    System.setProperty(Backends.PROPERTY, "metal");
    assertEquals(
        "BackendException: backend 'metal' is not usable: no memory (restart)",
        open(null, BROKEN, FAST));
  }

  @Test
  void aMissingBackendNamesThoseThatAreThere() throws Exception {
    assertEquals(
        "BackendException: backend 'tpu' (from the argument) was not found; there are: fast, slow;"
            + " ask for one of these, or put the jar of the backend on the class path or module"
            + " path",
        open("tpu", SLOW, FAST));
    assertEquals(
        "BackendException: backend 'tpu' (from the argument) was not found; there is none;"
            + " put the jar of the backend on the class path or module path",
        open("tpu"));
  }

  @Test
  void withoutAnyUsableBackendTheErrorTellsEveryReason() throws Exception {
    assertEquals(
        "BackendException: no backend was found; add gradus-backend-cpu to the class path or module"
            + " path",
        open(null));
    assertEquals(
        "BackendException: "
            + CUDA_TEXT
            + "; backend 'metal' is not usable: no memory (restart) <- UnsatisfiedLinkError",
        open(null, BROKEN, ABSENT));
  }

  @Test
  void aRequestThatIsNoNameIsRefused() throws Exception {
    for (String request : new String[] {"", ":1", "cuda:", "cuda:x", "cuda:1:2", "cuda:-1"}) {
      assertEquals(
          "IllegalArgumentException: backend '"
              + request
              + "' (from the argument) is not a backend's name; use a name and at most a device's"
              + " number, as cpu or cuda:1",
          open(request, FAST));
    }
    System.setProperty(Backends.PROPERTY, "a:b");
    assertEquals(
        "backend: none (decided by the request)\n"
            + "problem: backend 'a:b' (from the system property gradus.backend) is not a backend's"
            + " name; use a name and at most a device's number, as cpu or cuda:1\n",
        report());
  }

  @Test
  void theReportHasAParagraphForEachBackend() throws Exception {
    assertEquals(
        "backend: slow (decided by priority)\n"
            + "\ncuda: absent (priority 200)\n"
            + "  reason: libcuda.so.1: cannot open shared object file\n"
            + "  remedy: install an NVIDIA driver >= 525, or use -Dgradus.backend=cpu\n"
            + "\nslow: usable (priority 10)\n"
            + "  devices: slow:0, slow:1\n"
            + "  driver: 1.2\n",
        report(SLOW, ABSENT));
  }

  @Test
  void aProviderThatCannotBeConstructedIsReportedNotThrown() throws Exception {
    for (Class<?> provider :
        new Class<?>[] {TestProviders.Throws.class, TestProviders.Unlinked.class}) {
      String text = report(provider.getName(), SLOW);
      assertTrue(text.startsWith("backend: slow (decided by priority)\n"), text);
      assertTrue(text.contains("\nunknown: broken (priority "), text);
      assertTrue(text.contains("  reason: its provider could not be loaded: "), text);
      assertTrue(text.contains(provider.getName()), text);
      assertEquals("slow:0", open("slow", provider.getName(), SLOW));
    }
  }

  @Test
  void aProviderThatIsNotThereIsReportedNotThrown() throws Exception {
    String text = report("dev.gradus.none.Missing", SLOW);
    assertTrue(text.startsWith("backend: slow"), text);
    assertTrue(text.contains("dev.gradus.none.Missing"), text);
  }

  @Test
  void aProbeThatMeetsAMissingClassIsReportedNotThrown() throws Exception {
    String text = report(TestProviders.UnlinkedProbe.class.getName(), SLOW);
    assertTrue(text.startsWith("backend: slow"), text);
    assertTrue(text.contains("no late in java.library.path"), text);
  }

  @Test
  void loadingBackendsTouchesNoProvider() throws Exception {
    IsolatedBackends there = IsolatedBackends.with(directory, FAST, SLOW);
    Class.forName(Backends.class.getName(), true, there);
    assertTrue(there.loaded().contains(Backends.class.getName()));
    assertFalse(there.loaded().toString().contains("TestProviders"), there.loaded().toString());
    there.report();
    assertTrue(there.loaded().contains(FAST), "the report looks at providers");
  }

  @Test
  void theFallBackIsToldOnceAndOnlyWhenNobodyAsked() throws Exception {
    assertEquals(List.of(), logged("slow", ABSENT, SLOW));
    assertEquals(List.of(), logged(null, SLOW));
    assertEquals(List.of("INFO " + CUDA_TEXT + "; using 'slow'"), logged(null, ABSENT, SLOW));
    assertEquals(
        List.of("WARNING backend 'metal' is not usable: no memory (restart); using 'slow'"),
        logged(null, BROKEN, SLOW));
  }

  /** What opening twice logs. */
  private List<String> logged(String request, String... providers) throws Exception {
    List<String> lines = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord r) {
            lines.add(r.getLevel() + " " + new SimpleFormatter().formatMessage(r));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("dev.gradus");
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    IsolatedBackends there = IsolatedBackends.with(directory, providers);
    try {
      there.open(request);
      there.open(request);
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    return lines;
  }
}
