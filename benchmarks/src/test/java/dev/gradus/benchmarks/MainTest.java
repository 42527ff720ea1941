package dev.gradus.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    CommandLine line = Main.line();
    line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return line.execute(args);
  }

  @Test
  void listsWhatAFilterMatches() {
    assertEquals(0, run("--list", "--filter", "Gemm", "--filter", "Memory.*copy"));
    assertEquals(
        "dev.gradus.benchmarks.GemmBenchmark.matmul\n"
            + "dev.gradus.benchmarks.MemoryBenchmark.copy\n",
        out.toString().replace("\r", ""));
  }

  @Test
  void refusesAFilterThatMatchesNothing() {
    assertEquals(2, run("--filter", "Abacus"));
    assertTrue(
        err.toString().contains("--filter [Abacus] matches no benchmark; --list prints them"),
        err.toString());
  }

  @Test
  void refusesAFilterThatIsNoExpression() {
    assertEquals(2, run("--filter", "["));
    assertTrue(
        err.toString()
            .contains("--filter '[' is not a regular expression: Unclosed character class"),
        err.toString());
  }

  @Test
  void refusesAParameterThatNoChosenBenchmarkHas() {
    assertEquals(2, run("--filter", "Gemm", "--param", "table=SMALL_GPT"));
    assertTrue(
        err.toString()
            .contains(
                "--param table: none of the chosen benchmarks has it; they have [blas, form, n,"
                    + " on]"),
        err.toString());
    assertEquals(0, run("--list", "--filter", "Gemm", "--param", "n=8"));
  }

  @Test
  void refusesABackendThatWasAskedForAndCannotBeUsed() {
    assumeFalse(On.CUDA.problem().isEmpty(), "there is a device");
    assertEquals(2, run("--filter", "AdamPath", "--param", "on=CPU,CUDA"));
    assertTrue(
        err.toString().contains("--param on=CUDA: it is not usable here: " + On.CUDA.problem()),
        err.toString());
  }

  @Test
  void saysWhichBackendIsLeftOut() {
    assumeFalse(On.CUDA.problem().isEmpty(), "there is a device");
    assertEquals(
        List.of("on=CUDA is not measured: " + On.CUDA.problem()),
        new Plan(false, false, List.of("AdamPath"), Map.of(), 1).leftOut());
    assertEquals(
        List.of(), new Plan(false, false, List.of("AdamPath"), Map.of("on", "CPU"), 1).leftOut());
    assertEquals(List.of(), new Plan(false, false, List.of("OpenBlas"), Map.of(), 1).leftOut());
  }

  @Test
  void whatIsAskedForStandsInPlaceOfTheUsualValues() {
    Map<String, String> asked = Map.of("table", "GPT_IN_8,GPT_IN_64", "on", "CPU");
    Map<String, String[]> values = new Plan(true, false, List.of(), asked, 1).values();
    assertArrayEquals(new String[] {"GPT_IN_8", "GPT_IN_64"}, values.get("table"));
    assertArrayEquals(new String[] {"CPU"}, values.get("on"));
    assertArrayEquals(new String[] {"ADAM"}, values.get("variant"));
  }

  @Test
  void refusesNumbersBelowOne() {
    assertEquals(2, run("--rounds", "0"));
    assertTrue(err.toString().contains("--rounds must be at least 1 but is 0"), err.toString());
    assertEquals(2, run("--threads", "-1"));
    assertTrue(err.toString().contains("--threads must be at least 1 but is -1"), err.toString());
  }

  @Test
  void helps() {
    assertEquals(0, run("--help"));
    assertTrue(out.toString().contains("--quick"), out.toString());
  }
}
