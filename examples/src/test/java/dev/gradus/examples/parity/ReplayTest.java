package dev.gradus.examples.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gradus.io.SafeTensors;
import dev.gradus.io.SafeTensorsReader;
import dev.gradus.tensor.Device;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
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

  // ---- every kind: float64, no gradient in step 3 of the second group, all rates cut before step
  // 5

  static Stream<String> kinds() {
    return Optimizers.names().stream();
  }

  /** The recording of a kind of optimizer, edited. */
  private Comparison replay(String kind, Consumer<JsonNode> edit) throws Exception {
    ObjectMapper json = new ObjectMapper();
    JsonNode root = json.readTree(Files.readString(resource("kinds/" + kind + ".json")));
    // Each step has groups of its own, so that an edit of one is not one of those that follow.
    JsonNode groups = root.get("steps").get(0).get("groups");
    for (JsonNode s : root.get("steps")) {
      groups = s.has("groups") ? s.get("groups") : groups;
      ((ObjectNode) s).set("groups", groups.deepCopy());
    }
    edit.accept(root);
    return replay(Files.writeString(folder.resolve("run.json"), json.writeValueAsString(root)));
  }

  private static ObjectNode options(JsonNode root, int step, int group) {
    JsonNode groups = root.get("steps").get(step - 1).get("groups");
    return (ObjectNode) groups.get(group).get("options");
  }

  private static Comparison.Row first(Comparison comparison) {
    Comparison.Row first = comparison.firstAbove();
    assertNotNull(first);
    return first;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyOptimizerFollowsARecording(String kind) throws Exception {
    Comparison comparison = replay(kind, root -> {});
    assertNull(comparison.firstAbove());
    assertEquals(7, comparison.rows().stream().map(Comparison.Row::step).distinct().count());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aGradientOfTheOtherSignIsSeenInItsStep(String kind) throws Exception {
    Comparison.Row first =
        first(
            replay(
                kind,
                root -> {
                  JsonNode gradients = root.get("steps").get(1).get("gradients");
                  JsonNode gradient = gradients.get("linear2.weight");
                  ArrayNode values =
                      (ArrayNode) (gradient.isObject() ? gradient.get("values") : gradient);
                  for (int i = 0; i < values.size(); i++) {
                    values.set(i, DoubleNode.valueOf(-values.get(i).doubleValue()));
                  }
                }));
    assertEquals("linear2.weight", first.parameter());
    assertEquals(2, first.step());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aRateThatIsCutAStepLateIsSeenInThatStep(String kind) throws Exception {
    Comparison late =
        replay(
            kind,
            root -> {
              for (int group = 0; group < 2; group++) {
                ObjectNode options = options(root, 5, group);
                options.put("lr", 10 * options.get("lr").doubleValue());
              }
            });
    switch (kind) {
      case "Rprop" -> assertNull(late.firstAbove(), "its rate is that of the first step alone");
      case "ASGD" -> assertEquals(6, first(late).step(), "its rate holds from the next step on");
      default -> assertEquals(5, first(late).step());
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void weightDecayOfTheWrongGroupIsSeenInTheFirstStep(String kind) throws Exception {
    List<String> without = List.of("Rprop", "SparseAdam");
    Comparison wrong =
        replay(
            kind,
            root -> {
              for (int step = 1; step <= 7; step++) {
                ObjectNode one = options(root, step, 0);
                ObjectNode other = options(root, step, 1);
                assertEquals(!without.contains(kind), one.has("weight_decay"));
                if (one.has("weight_decay")) {
                  JsonNode decay = one.get("weight_decay");
                  assertNotEquals(decay, other.get("weight_decay"));
                  one.set("weight_decay", other.get("weight_decay"));
                  other.set("weight_decay", decay);
                }
              }
            });
    if (without.contains(kind)) {
      assertNull(wrong.firstAbove());
    } else {
      assertEquals(1, first(wrong).step());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ASGD       | alpha       | 0.499          | 2 | its rate is that of the step before
          ASGD       | lambd       | 0.011          | 1 |
          Adadelta   | rho         | 0.801          | 1 |
          Adadelta   | eps         | 1.1e-6         | 1 |
          Adafactor  | beta2_decay | -0.501         | 2 | the first step takes the new square alone
          Adagrad    | lr_decay    | 0.101          | 2 | it counts the steps before
          Adagrad    | eps         | 1.1e-10        | 1 |
          Adam       | betas       | [0.8, 0.951]   | 2 | bias corrections take the betas out of the first
          Adam       | eps         | 1.1e-8         | 1 |
          AdamW      | betas       | [0.9, 0.998]   | 2 |
          AdamW      | eps         | 1.1e-8         | 1 |
          Adamax     | betas       | [0.801, 0.95]  | 2 |
          Adamax     | eps         | 1.1e-8         | 1 |
          Muon       | momentum    | 0.949          | 1 | by bfloat16's rounding alone: steps have one length
          Muon       | ns_steps    | 4              | 1 |
          NAdam      | betas       | [0.901, 0.999] | 1 | the next step's momentum is in each
          NAdam      | momentum_decay | 0.005       | 1 |
          NAdam      | eps         | 1.1e-8         | 1 |
          RAdam      | betas       | [0.801, 0.95]  | 2 |
          RMSprop    | alpha       | 0.989          | 1 |
          RMSprop    | eps         | 1.1e-8         | 1 |
          Rprop      | etas        | [0.401, 1.301] | 2 | the first compares with no gradient
          SGD        | momentum    | 0.901          | 1 | Nesterov's
          SparseAdam | betas       | [0.8, 0.951]   | 1 | eps is not corrected
          SparseAdam | eps         | 1.1e-8         | 1 |
          """)
  void anOptionThatIsOffIsSeenInTheFirstStepThatItChanges(
      String kind, String option, String value, int step) throws Exception {
    JsonNode off = new ObjectMapper().readTree(value);
    Comparison.Row first =
        first(
            replay(
                kind,
                root -> {
                  for (int t = 1; t <= 7; t++) {
                    assertNotEquals(off, options(root, t, 1).replace(option, off));
                  }
                }));
    assertEquals(step, first.step());
    assertTrue(first.parameter().startsWith("linear2."), first.parameter());
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
