package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.TernaryOp;
import dev.gradus.spi.UnaryOp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PtxTest {
  private static final Path MODULE = Path.of("").toAbsolutePath();

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.list(MODULE.resolve("src/main/cuda"))) {
      List<Path> all = files.sorted().toList();
      // As the script lists them: *.cu, then *.cuh.
      return Stream.concat(
              all.stream().filter(f -> f.toString().endsWith(".cu")),
              all.stream().filter(f -> f.toString().endsWith(".cuh")))
          .toList();
    }
  }

  @Test
  void itWasMadeFromTheSourcesThatAreHere() throws Exception {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    for (Path source : sources()) {
      sha.update(Files.readAllBytes(source));
    }
    String first = Ptx.text().lines().findFirst().orElseThrow();
    assertEquals(
        "// sources " + HexFormat.of().formatHex(sha.digest()), first, "run backend-cuda/ptx");
  }

  @Test
  void theCompilerThatMadeItMakesItAgain(@TempDir Path folder) throws Exception {
    String made = Ptx.text().lines().skip(1).findFirst().orElseThrow();
    String here = nvcc();
    assumeTrue(
        made.contains(here),
        "the PTX is not made again: " + made + ", but here is " + (here.isEmpty() ? "none" : here));
    Path out = folder.resolve("kernels.ptx");
    Process process =
        new ProcessBuilder(MODULE.resolve("ptx").toString(), out.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    assertArrayEquals(
        Ptx.text().getBytes(StandardCharsets.US_ASCII),
        Files.readAllBytes(out),
        "run backend-cuda/ptx");
  }

  /** The version of the compiler on the path, as the PTX's second line names it. */
  private static String nvcc() throws IOException, InterruptedException {
    try {
      Process process = new ProcessBuilder("nvcc", "--version").start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      process.waitFor();
      var version = Pattern.compile("release .*, (V\\S+)").matcher(said);
      return version.find() ? "nvcc " + version.group(1) : "";
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void itAsksForNoMoreThanTheOldestDriverHas() {
    List<String> directives =
        Ptx.text()
            .lines()
            .filter(l -> l.startsWith(".version") || l.startsWith(".target"))
            .toList();
    assertEquals(List.of(".version 8.0", ".target sm_75"), directives);
    assertTrue(Kernels.withVersion(Ptx.text(), "6.3").contains("\n.version 6.3\n.target sm_75\n"));
  }

  @Test
  void everyOperationHasItsKernelsForBothFloatingTypes() {
    Set<String> kernels = Ptx.kernels().keySet();
    Stream<String> names =
        Stream.of(
                Stream.of(UnaryOp.values()).map(KernelTable::name),
                Stream.of(UnaryOp.values())
                    .filter(op -> op.saves() != UnaryOp.Saves.NOTHING)
                    .map(op -> KernelTable.name(op) + "_grad"),
                Stream.of(BinaryOp.values()).map(KernelTable::name),
                Stream.of(TernaryOp.values())
                    .filter(op -> op != TernaryOp.WHERE)
                    .map(KernelTable::name))
            .flatMap(n -> n);
    Set<String> missing =
        names
            .flatMap(n -> Stream.of(n + "_f32", n + "_f64"))
            .filter(n -> !kernels.contains(n))
            .collect(Collectors.toSet());
    assertEquals(Set.of(), missing);
  }

  /**
   * Which is why sums have the same bits in every run, unless the option asks for these kernels.
   */
  @Test
  void onlyTheKernelsOfTheOptionAddByFloatingPointAtomics() {
    Set<String> adding = new TreeSet<>();
    Pattern entry = Pattern.compile(".*\\.entry (\\w+)\\(.*");
    String kernel = "";
    for (String line : Ptx.text().lines().toList()) {
      Matcher begin = entry.matcher(line);
      if (begin.matches()) {
        kernel = begin.group(1);
      } else if (line.matches("\\s*(@%p\\d+ )?(atom|red)\\..*\\.f(16|32|64).*")) {
        adding.add(kernel);
      }
    }
    assertEquals(
        Set.of(
            "coalesce_atomic_f32",
            "coalesce_atomic_f64",
            "scatter_atomic_f32",
            "scatter_atomic_f64"),
        adding);
  }
}
