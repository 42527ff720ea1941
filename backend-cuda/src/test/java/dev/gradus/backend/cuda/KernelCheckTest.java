package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.backend.cuda.emulator.EmulatorControl;
import dev.gradus.spi.Backend;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The values that the jar carries, and what is found by them. With {@code -Dgradus.record=true} the
 * first test writes the jar's file anew, from what the emulated device computes.
 */
class KernelCheckTest {
  private static final Path FILE =
      Path.of("src/main/resources/dev/gradus/backend/cuda", RecordedValues.RESOURCE);

  private static final String AGAIN = "run this test with -Dgradus.record=true, then build again";

  private static PtxEntries entries;

  @BeforeAll
  static void readThePtx() {
    entries = PtxEntries.of(Ptx.text());
  }

  @BeforeEach
  void anew() {
    Devices.needEmulator("what it computes");
    Devices.restart();
  }

  /** The device as some cases want it, and as the others do. */
  private static final class Both implements AutoCloseable {
    private final Backend plain;
    private final Backend atomic;

    Both(String ptx) {
      plain = open(CudaSettings.DEFAULTS, ptx);
      atomic = open(CudaSettings.DEFAULTS.withAtomics(true), ptx);
    }

    private static Backend open(CudaSettings settings, String ptx) {
      Devices.load();
      try {
        return CudaBackend.open(0, settings, Devices.withoutCuBlas(), ptx);
      } catch (CudaUnusable e) {
        throw new AssertionError(e);
      }
    }

    Backend of(KernelCase c) {
      return c.atomics() ? atomic : plain;
    }

    @Override
    public void close() {
      plain.close();
      atomic.close();
    }
  }

  /** The problems of all cases, by their names. */
  private static Map<String, String> problems(RecordedValues recorded, String ptx) {
    KernelCheck check = new KernelCheck(recorded, entries);
    Map<String, String> problems = new LinkedHashMap<>();
    try (Both both = new Both(ptx)) {
      for (KernelCase c : KernelCase.all()) {
        KernelCheck.Outcome outcome = check.run(c, both.of(c));
        if (!outcome.problem().isEmpty()) {
          problems.put(c.name(), outcome.problem());
        }
      }
    }
    return problems;
  }

  @Test
  void theEmulatorGivesWhatIsRecorded() throws IOException {
    Map<String, RecordedValues.Recorded> all = new LinkedHashMap<>();
    try (Both both = new Both(Ptx.text())) {
      for (KernelCase c : KernelCase.all()) {
        EmulatorControl.clearCounters();
        List<Values> results = CaseRun.of(c, both.of(c));
        all.put(c.name(), new RecordedValues.Recorded(EmulatorControl.kernels(), results));
      }
    }
    if (Boolean.getBoolean("gradus.record")) {
      try (OutputStream out = Files.newOutputStream(FILE)) {
        new RecordedValues(all).write(out);
      }
      return;
    }
    RecordedValues recorded = RecordedValues.ofJar();
    KernelCheck check = new KernelCheck(recorded, entries);
    assertEquals(List.copyOf(recorded.cases().keySet()), List.copyOf(all.keySet()), AGAIN);
    all.forEach(
        (name, now) -> {
          RecordedValues.Recorded then = recorded.cases().get(name);
          assertEquals(then.kernels(), now.kernels(), name + ": " + AGAIN);
          assertEquals("", check.compare(then, now.results()).problem(), name + ": " + AGAIN);
        });
  }

  @Test
  void everyKernelHasACase() throws IOException {
    Set<String> started =
        RecordedValues.ofJar().cases().values().stream()
            .flatMap(r -> r.kernels().stream())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(entries.names()), started);
  }

  @Test
  void theFileIsSmall() throws IOException {
    assertTrue(Files.size(FILE) < 300_000, "bytes: " + Files.size(FILE));
  }

  // ---- what a device may do differently passes

  @ParameterizedTest
  @EnumSource
  void approximationsAsFarOffAsTheyMayBePass(PtxEdits.Way way) throws IOException {
    String ptx = PtxEdits.approximationsOff(Ptx.text(), way);
    assertEquals(Map.of(), problems(RecordedValues.ofJar(), ptx));
  }

  @Test
  void productsAndSumsThatAreRoundedOncePass() throws IOException {
    String ptx = PtxEdits.contracted(Ptx.text());
    long turned = count(ptx, "fma.rn") - count(Ptx.text(), "fma.rn");
    assertTrue(turned > 10, "sums: " + turned);
    assertEquals(Map.of(), problems(RecordedValues.ofJar(), ptx));
  }

  private static long count(String ptx, String word) {
    return ptx.lines().filter(l -> l.contains(word)).count();
  }

  // ---- what is wrong is found and named

  @Test
  void aRecordedBitThatIsWrongIsFound() throws IOException {
    RecordedValues jar = RecordedValues.ofJar();
    Map<String, RecordedValues.Recorded> all = new LinkedHashMap<>(jar.cases());
    RecordedValues.Recorded adam = all.get("adamw float32");
    List<Values> results = new ArrayList<>(adam.results());
    Values param = results.get(0);
    long[] bits = new long[param.count()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = param.bits(i) ^ (i == 201 ? 1 : 0);
    }
    results.set(0, new Values(param.dtype(), bits));
    all.put("adamw float32", new RecordedValues.Recorded(adam.kernels(), results));
    Map<String, String> problems = problems(new RecordedValues(all), Ptx.text());
    assertEquals(Set.of("adamw float32"), problems.keySet());
    assertEquals(
        "result 0, element 201 is "
            + param.text(201)
            + ", recorded is "
            + results.get(0).text(201)
            + ": 1 ulps apart, allowed none; kernels adam_f32",
        problems.get("adamw float32"));
  }

  @ParameterizedTest
  @CsvSource({"adam_f32,1", "div_f64,1", "gemm_f32,1", "exp_f32,9", "softmax_f64,5"})
  void aKernelWhoseResultIsOffIsFound(String kernel, int steps) throws IOException {
    Map<String, String> problems =
        problems(RecordedValues.ofJar(), PtxEdits.moved(Ptx.text(), kernel, steps));
    assertTrue(!problems.isEmpty());
    for (String problem : problems.values()) {
      assertTrue(problem.contains("; kernels "), problem);
      assertTrue(List.of(problem.split("; kernels ")[1].split(", ")).contains(kernel), problem);
    }
  }

  @Test
  void fiveUlpsAreTooManyAndFourAreNot() throws IOException {
    for (int steps : new int[] {4, 5}) {
      Map<String, String> problems =
          problems(RecordedValues.ofJar(), PtxEdits.moved(Ptx.text(), "normalize_grad_f64", steps));
      assertEquals(steps == 5 ? Set.of("normalize float64 gradient") : Set.of(), problems.keySet());
      problems.values().forEach(p -> assertTrue(p.contains(": 5 ulps apart, allowed are 4;"), p));
    }
  }

  @Test
  void aCaseWithoutValuesIsFound() {
    Map<String, String> problems = problems(new RecordedValues(Map.of()), Ptx.text());
    assertEquals(
        Stream.of("the jar has no values of this case").collect(Collectors.toSet()),
        Set.copyOf(problems.values()));
    assertEquals(KernelCase.all().size(), problems.size());
  }
}
