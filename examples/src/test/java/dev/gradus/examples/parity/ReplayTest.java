package dev.gradus.examples.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gradus.io.SafeTensors;
import dev.gradus.io.SafeTensorsReader;
import dev.gradus.tensor.Device;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Recordings of PyTorch, made by recordings.py: two groups, a third from step 9 on. */
class ReplayTest {
  private static final int STEPS = 9;

  @TempDir Path folder;

  private Device device;

  @BeforeEach
  void open() {
    device = Device.open("cpu");
  }

  @AfterEach
  void close() {
    device.close();
  }

  static Path resource(String name) throws URISyntaxException {
    return Path.of(ReplayTest.class.getResource(name).toURI());
  }

  private Comparison replay(Path file) throws IOException {
    try (Recording recording = Recording.open(file)) {
      return Replay.of(recording, device);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"adamw-float32.json", "sgd-float64.safetensors", "sparse-adam-float32.json"})
  void recordingsOfPyTorchAreFollowed(String name) throws Exception {
    Comparison comparison = replay(resource(name));
    assertNull(comparison.firstAbove());
    for (Comparison.Row row : comparison.rows()) {
      // A difference within the tolerance is below a thousandth of a percent, and is none where
      // nothing happens.
      assertTrue(row.allowed() < 1e-5 * row.step(), row.toString());
    }
    assertEquals(
        STEPS, comparison.rows().stream().filter(r -> r.parameter().equals("emb.weight")).count());
    assertEquals(
        Set.of(STEPS),
        Set.copyOf(
            comparison.rows().stream()
                .filter(r -> r.parameter().startsWith("head."))
                .map(Comparison.Row::step)
                .toList()));
  }

  /** A recording with one option of a group changed from a step on. */
  private Path planted(String name, int step, int group, String option, String values)
      throws Exception {
    Path file = resource(name);
    if (name.endsWith(".json")) {
      String json = changed(Files.readString(file), step, group, option, values);
      return Files.writeString(folder.resolve("planted.json"), json);
    }
    Path changed = folder.resolve("planted.safetensors");
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      String json = changed(reader.metadata().get(Recording.METADATA), step, group, option, values);
      SafeTensors.save(changed, SafeTensors.load(file, device), Map.of(Recording.METADATA, json));
    }
    return changed;
  }

  private static String changed(String text, int step, int group, String option, String values)
      throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode root = json.readTree(text);
    JsonNode groups = root.get("steps").get(0).get("groups");
    for (JsonNode s : root.get("steps")) {
      groups = s.has("groups") ? s.get("groups") : groups;
      JsonNode copy = groups.deepCopy();
      if (s.get("step").asInt() >= step) {
        ((ObjectNode) copy.get(group).get("options")).set(option, json.readTree(values));
      }
      ((ObjectNode) s).set("groups", copy);
    }
    return json.writeValueAsString(root);
  }

  private void differsFrom(int step, String group, Path planted) throws IOException {
    Comparison.Row first = replay(planted).firstAbove();
    assertNotNull(first);
    assertEquals(step, first.step());
    assertTrue(first.parameter().startsWith(group), first.parameter());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | 1 | [0.9, 0.998]   | 1
          2 | 1 | [0.901, 0.999] | 1
          3 | 1 | [0.9, 0.998]   | 3
          3 | 0 | [0.899, 0.999] | 3
          6 | 1 | [0.9, 0.998]   | 4
          """)
  void aBetaThatIsOffByAThousandthIsSeenInTheFirstStepThatItChanges(
      int seen, int group, String betas, int from) throws Exception {
    // The bias corrections take the betas out of the first step; the second group has no gradient
    // in steps 4 and 5.
    String names = group == 0 ? "emb." : "linear2.";
    differsFrom(seen, names, planted("adamw-float32.json", from, group, "betas", betas));
  }

  @Test
  void inFloat64AnErrorThatBeginsLateIsSeenWhereItBegins() throws Exception {
    String sgd = "sgd-float64.safetensors";
    for (int step = 2; step <= STEPS; step++) {
      differsFrom(step, "emb.", planted(sgd, step, 0, "momentum", "0.901"));
    }
    differsFrom(8, "emb.", planted(sgd, 8, 0, "lr", "0.005000001"));
    differsFrom(9, "head.", planted(sgd, 9, 2, "lr", "0.030000001"));
  }

  @Test
  void theToleranceIsAPartOfTheGreatestValueSoFar() throws Exception {
    double most = 0;
    for (Comparison.Row row : replay(resource("sgd-float64.safetensors")).rows()) {
      if (row.parameter().equals("emb.weight")) {
        double greatest = row.allowed() / 0x1p-50;
        assertTrue(greatest >= most, row.toString());
        most = greatest;
      }
    }

    assertTrue(most > 1 && most < 4, "greatest value " + most);
  }

  @Test
  void aValueThatIsOneUnitOffIsOneUnitOff() throws Exception {
    ObjectMapper json = new ObjectMapper();
    JsonNode root = json.readTree(Files.readString(resource("adamw-float32.json")));
    ArrayNode bias = (ArrayNode) root.get("steps").get(7).get("values").get("linear2.bias");
    float recorded = (float) bias.get(1).doubleValue();
    bias.set(1, json.getNodeFactory().numberNode((double) Math.nextUp(recorded)));
    Comparison comparison =
        replay(Files.writeString(folder.resolve("off.json"), json.writeValueAsString(root)));
    for (Comparison.Row row : comparison.rows()) {
      boolean off = row.step() == 8 && row.parameter().equals("linear2.bias");
      assertEquals(off ? 1 : 0, row.difference().ulp(), row.toString());
      assertEquals(off ? Math.ulp(recorded) : 0, row.difference().absolute(), row.toString());
    }
    assertNull(comparison.firstAbove());
  }

  @Test
  void aSummaryHasTheGreatestOfAllStepsAndTheFirstAbove() throws Exception {
    Comparison comparison = replay(planted("adamw-float32.json", 1, 1, "betas", "[0.9, 0.998]"));
    Comparison.Summary summary = comparison.byParameter().get("linear2.bias");
    assertNotNull(summary);
    assertEquals(2, summary.firstAbove());
    double greatest = 0;
    int worst = 0;
    for (Comparison.Row row : comparison.rows()) {
      if (row.parameter().equals("linear2.bias") && row.difference().absolute() > greatest) {
        greatest = row.difference().absolute();
        worst = row.step();
      }
    }
    assertEquals(greatest, summary.greatest().absolute());
    assertEquals(worst, summary.worstStep());
  }
}
