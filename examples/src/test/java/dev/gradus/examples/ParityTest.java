package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParityTest {
  /** An SGD that moves by a half and is recorded to have moved by a quarter in its second step. */
  private static final String WRONG =
      """
      {"format": "gradus.recording.1", "optimizer": "SGD",
       "parameters": {"w": {"dtype": "float32", "shape": [2], "initial": [1, 2]}},
       "steps": [
        {"step": 1,
         "groups": [{"name": "all", "parameters": ["w"], "options": {"lr": 0.5}}],
         "gradients": {"w": [1, 0]},
         "values": {"w": [0.5, 2]}},
        {"step": 2, "gradients": {"w": [1, 0]}, "values": {"w": [0.25, 2]}}]}
      """;

  @TempDir Path folder;

  private String file(String json) throws Exception {
    return Files.writeString(folder.resolve("run.json"), json).toString();
  }

  private static String recorded(String name) throws Exception {
    return Path.of(ParityTest.class.getResource("parity/" + name).toURI()).toString();
  }

  @Test
  void withinTheToleranceTheExitCodeIsZero() throws Exception {
    Run run = Run.of("parity", recorded("adamw-float32.json"));
    assertEquals(0, run.code());
    assertEquals("", run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals(
        "AdamW: 9 steps of 5 parameters in 3 groups, recorded by torch 2.13.0+cpu", lines.get(0));
    assertTrue(lines.get(3).startsWith("emb.weight "), run.out());
    assertEquals("within the tolerance", lines.get(lines.size() - 1));
  }

  @Test
  void aboveTheToleranceItSaysWhereAndTheExitCodeIsFour() throws Exception {
    Run run = Run.of("parity", file(WRONG));
    assertEquals(4, run.code());
    assertEquals("", run.err());
    assertEquals(
        """
        SGD: 2 steps of 1 parameter in 1 group

        greatest difference  absolute  at step  relative         ulp  first above
        w                     2.5e-01        2   1.0e+00  1048576000       step 2

        step 2 moves w away by 2.5e-01, where 9.5e-07 is allowed
        """,
        run.out());
  }

  @Test
  void stepsPrintsALineForEachStepAndParameter() throws Exception {
    Run run = Run.of("parity", "--steps", file(WRONG));
    assertEquals(4, run.code());
    assertTrue(
        run.out()
            .contains(
                """

                parameter  step  absolute  relative         ulp    added  allowed
                w             1         0         0           0        0  9.5e-07
                w             2   2.5e-01   1.0e+00  1048576000  2.5e-01  9.5e-07  above

                """),
        run.out());
  }

  @Test
  void theToleranceCanBeChosen() throws Exception {
    // step 2 adds 1/4, and the greatest value is 2
    assertEquals(0, Run.of("parity", "--tolerance", "0.125", file(WRONG)).code());
    assertEquals(4, Run.of("parity", "--tolerance", "0.1249", file(WRONG)).code());
    Run run = Run.of("parity", "--tolerance", "-1", file(WRONG));
    assertEquals(2, run.code());
    assertEquals(
        List.of(
            "gradus: --tolerance must be >= 0 and finite but is -1.0; see 'gradus parity --help'"),
        run.errors());
  }

  @Test
  void jsonHasEveryRow() throws Exception {
    Run run = Run.of("parity", "--json", file(WRONG));
    assertEquals(4, run.code());
    JsonNode report = new ObjectMapper().readTree(run.out());
    assertEquals("SGD", report.get("optimizer").asText());
    assertFalse(report.get("within").asBoolean());
    assertEquals(2, report.get("first").get("step").asInt());
    assertEquals("w", report.get("first").get("parameter").asText());
    assertEquals(2, report.get("rows").size());
    assertEquals(0.25, report.get("rows").get(1).get("absolute").asDouble());
    assertEquals(1, report.get("rows").get(1).get("relative").asDouble());
    assertEquals(1048576000, report.get("rows").get(1).get("ulp").asLong());
    assertEquals(0x1p-20, report.get("rows").get(1).get("allowed").asDouble());
    JsonNode right =
        new ObjectMapper()
            .readTree(Run.of("parity", "--json", recorded("sgd-float64.safetensors")).out());
    assertTrue(right.get("within").asBoolean());
    assertFalse(right.has("first"));
  }

  @Test
  void aMalformedRecordingIsOneLine() throws Exception {
    String file = file(WRONG.replace("\"step\": 2", "\"step\": 7"));
    Run run = Run.of("parity", file);
    assertEquals(1, run.code());
    assertEquals("", run.out());
    assertEquals(
        List.of(
            "gradus: "
                + file
                + ": step 7 stands where step 2 is expected; steps are numbered 1, 2, 3, … and"
                + " stand in this order"),
        run.errors());
  }
}
