package dev.gradus.examples.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.io.SafeTensors;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordingTest {
  /** Two steps of an SGD over a matrix and a vector, in one group. */
  private static final String JSON =
      """
      {"format": "gradus.recording.1", "optimizer": "SGD",
       "parameters": {
        "w": {"dtype": "float64", "shape": [1, 2], "initial": [1, 2]},
        "b": {"dtype": "float32", "shape": [], "initial": [3]}},
       "steps": [
        {"step": 1,
         "groups": [{"name": "all", "parameters": ["w", "b"], "options": {"lr": 0.5}}],
         "gradients": {"w": [1, 1], "b": null},
         "values": {"w": [0.5, 1.5], "b": [3]}},
        {"step": 2,
         "gradients": {"w": {"rows": [0], "values": [2, 2]}, "b": [4]},
         "values": {"w": [-0.5, 0.5], "b": [1]}}]}
      """;

  @TempDir Path folder;

  private Recording open(String json) throws IOException {
    return Recording.open(Files.writeString(folder.resolve("run.json"), json));
  }

  private String refused(String json) {
    String message = assertThrows(MalformedRecordingException.class, () -> open(json)).getMessage();
    String file = folder.resolve("run.json") + ": ";
    assertTrue(message.startsWith(file), message);
    return message.substring(file.length());
  }

  @Test
  void whatIsDescribedIsReplayed() throws IOException {
    try (Recording recording = open(JSON);
        Device device = Device.open("cpu")) {
      assertEquals("SGD: 2 steps of 2 parameters in 1 group", recording.toString());
      for (Comparison.Row row : Replay.of(recording, device, 0).rows()) {
        assertEquals(Difference.NONE, row.difference(), row.toString());
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          gradus.recording.1 | other | its format is 'other'; this program reads 'gradus.recording.1', see docs/parity.md
          "optimizer" | "optimiser" | the recording: 'optimizer' is missing
          "optimizer" | "x": 1, "optimizer" | the recording: 'x' is unknown
          "SGD" | "Sgd" | optimizer 'Sgd' is unknown; there are %s
          "SGD" | "LBFGS" | LBFGS cannot be replayed: it asks for the loss at points of its own choice, which no recording holds
          "b": {"dtype" | "b\\u0007": {"dtype" | parameter 'b?': a name is not blank and has no control characters
          "float32" | "float16" | parameter 'b': its dtype is 'float16'; float32 and float64 can be replayed
          [1, 2], "initial" | [1, 2.5], "initial" | parameter 'w': its shape is not a list of whole numbers
          [1, 2], "initial" | 5, "initial" | parameter 'w': shape: a list is expected, as docs/parity.md describes it
          [1, 2], "initial" | [1, -2], "initial" | parameter 'w': shape: [1, -2] has a negative size; sizes must be >= 0
          [1, 2]}, | [1]}, | parameter 'w': there are 1 numbers but the shape is [1, 2], which has 2 elements
          [1, 2]}, | [1, true]}, | parameter 'w': element 1 is no number
          [1, 2]}, | 1}, | parameter 'w': a list of numbers is expected, row by row, or a tensor's name
          [1, 2]}, | "w"}, | parameter 'w': 'w' names a tensor, and a JSON file has none; write a list of numbers
          "step": 2 | "step": 3 | step 3 stands where step 2 is expected; steps are numbered 1, 2, 3, … and stand in this order
          "groups" | "group" | step 1: 'group' is unknown
          "options": {"lr": 0.5} | "options": {"lr": 0.5}, "x": 1 | step 1: a group: 'x' is unknown
          "step": 2 | "step": 2.5 | step 2.5 stands where step 2 is expected; steps are numbered 1, 2, 3, … and stand in this order
          "step": 2 | "step": "2" | step "2" stands where step 2 is expected; steps are numbered 1, 2, 3, … and stand in this order
          ["w", "b"] | {"a": "w", "b": "b"} | step 1: group 'all': parameters: a list is expected, as docs/parity.md describes it
          ["w", "b"] | ["w", 7] | step 1: group 'all': a parameter's name is 7; it is a text
          "name": "all" | "name": 7 | step 1: the name of a group is 7; it is a text
          ["w", "b"] | ["w", "c"] | step 1: group 'all': 'c' is none of the parameters
          ["w", "b"] | ["w", "w"] | step 1: group 'all': parameter 'w' is in group 'all' too
          ["w", "b"] | [] | step 1: group 'all': a group has a name and at least one parameter
          {"lr": 0.5} | {"rate": 0.5} | step 1: group 'all': SGD: %s
          {"lr": 0.5} | {"lr": "fast"} | step 1: group 'all': SGD: option 'lr' %s
          {"lr": 0.5} | {"lr": {}} | step 1: group 'all': option 'lr' is '{}'; it takes a number, a truth value, a text or a list
          {"lr": 0.5} | {"lr": -1} | step 1: group 'all': SGD: SGD lr must be >= 0 but is -1.0
          "b": null | "c": null | step 1: the gradient of 'b' is missing; write null where it had none
          "b": null | "b": null, "c": null | step 1: there is a gradient of 'c', in no group
          [1, 1] | [1, 1, 1] | step 1: gradient of 'w': there are 3 numbers but the shape is [1, 2], which has 2 elements
          "values": {"w": [0.5, 1.5], "b": [3]} | "values": {"w": [0.5, 1.5]} | step 1: the value of 'b' is missing
          [0.5, 1.5] | [0.5] | step 1: value of 'w': there are 1 numbers but the shape is [1, 2], which has 2 elements
          "rows": [0] | "rows": [0.5] | step 2: gradient of 'w': row 0 is no whole number
          "rows": [0] | "rows": [0, 0] | step 2: gradient of 'w': there are 2 numbers but the shape is [2, 2], which has 4 elements
          "b": [4] | "b": {"rows": [0], "values": [4]} | step 2: gradient of 'b': it is given as rows but the parameter is []; give all of it
          "step": 2, | "step": 2, "groups": [], | step 2: group 'all' does not keep its place and its parameters; groups may be added behind those that are there, and options may change
          "steps" | "steps": 1, "steps" | its description is not JSON: line 5, column 21: Duplicate field 'steps'
          """)
  void whatBreaksARuleIsRefused(String from, String to, String message) {
    assertTrue(JSON.contains(from), from);
    String refused = refused(JSON.replace(from, to));
    // The engine's own words, which its tests hold.
    String start = message.replace("%s", "");
    assertTrue(refused.startsWith(start), refused);
    if (!message.contains("%s")) {
      assertEquals(message, refused);
    }
  }

  @Test
  void thereIsAtLeastOneStepAndItNamesItsGroups() {
    assertEquals(
        "there are no steps; steps is a list of at least one",
        refused(JSON.substring(0, JSON.indexOf("\"steps\"")) + "\"steps\": []}"));
    String groups =
        "\"groups\": [{\"name\": \"all\", \"parameters\": [\"w\", \"b\"], \"options\": {\"lr\":"
            + " 0.5}}],";
    assertTrue(JSON.contains(groups));
    assertEquals(
        "step 1: there are no groups; the first step names them",
        refused(JSON.replace(groups, "")));
  }

  @Test
  void groupsAreAList() {
    String json =
        JSON.replace("\"groups\": [", "\"groups\": {\"a\": ").replace("0.5}}],", "0.5}}},");
    assertEquals(
        "step 1: groups: a list is expected, as docs/parity.md describes it", refused(json));
  }

  @Test
  void whatIsNoObjectIsRefused() {
    assertEquals(
        "the recording: an object is expected, as docs/parity.md describes it", refused("[]"));
    assertEquals(
        "step 2: gradients: an object is expected, as docs/parity.md describes it",
        refused(
            JSON.replace(
                "{\"w\": {\"rows\": [0], \"values\": [2, 2]}, \"b\": [4]}", "[[2, 2], [4]]")));
  }

  @Test
  void whatIsNestedTooDeeplyIsRefused() {
    String refused = refused("[".repeat(100_000));
    assertTrue(refused.startsWith("its description is not JSON: Document nesting depth"), refused);
  }

  @Test
  void aFileThatIsCutOffIsRefused() {
    for (int end = 0; end < JSON.strip().length(); end += 7) {
      String cut = JSON.substring(0, end);
      assertThrows(MalformedRecordingException.class, () -> open(cut), cut);
    }
  }

  @Test
  void optionsOfHowAStepIsComputedAreIgnored() throws IOException {
    String json =
        JSON.replace(
            "{\"lr\": 0.5}",
            "{\"lr\": 0.5, \"foreach\": true, \"fused\": false, \"capturable\": false,"
                + " \"differentiable\": false}");
    try (Recording recording = open(json);
        Device device = Device.open("cpu")) {
      assertEquals(null, Replay.of(recording, device, 0).firstAbove());
    }
  }

  @Test
  void whatTheOptimizerRefusesNamesTheStep() throws IOException {
    try (Device device = Device.open("cpu");
        Recording dense =
            open(JSON.replace("\"SGD\"", "\"SparseAdam\"").replace("\"b\": null", "\"b\": [1]"));
        Recording outside = open(JSON.replace("\"rows\": [0]", "\"rows\": [1]"));
        Recording scalar = open(JSON.replace("\"SGD\"", "\"Muon\""))) {
      String file = folder.resolve("run.json").toString();
      assertEquals(
          file
              + ": step 1: SparseAdam.step: parameter 'w': its gradient is dense: it was used other"
              + " than by lookups of rows, the gradient was changed, or another optimizer takes it"
              + " dense; give it to one Adam",
          assertThrows(IllegalStateException.class, () -> Replay.of(dense, device)).getMessage());
      assertEquals(
          file + ": step 2: parameter 'w': id 1 at position [0] is outside [0, 1)",
          assertThrows(IllegalStateException.class, () -> Replay.of(outside, device)).getMessage());
      String shape =
          assertThrows(IllegalStateException.class, () -> Replay.of(scalar, device)).getMessage();
      assertTrue(shape.startsWith(file + ": step 1: Muon: parameter 'b' is []; it takes"), shape);
    }
  }

  @Test
  void aFileThatIsNotThereOrIsNoRecordingIsNamed() throws IOException {
    Path none = folder.resolve("none.json");
    assertEquals(
        "parity: " + none + " does not exist; check the path",
        assertThrows(IOException.class, () -> Recording.open(none)).getMessage());
    assertEquals(
        "parity: " + folder + " is a folder; name the recording in it",
        assertThrows(IOException.class, () -> Recording.open(folder)).getMessage());
    Path bytes = Files.write(folder.resolve("bytes.json"), new byte[] {(byte) 0xff, 0});
    assertEquals(
        bytes + ": it is neither JSON nor *.safetensors",
        assertThrows(MalformedRecordingException.class, () -> Recording.open(bytes)).getMessage());
  }

  // ---- safetensors

  private Path tensors(String json, Map<String, Tensor> tensors) throws IOException {
    Path file = folder.resolve("run.safetensors");
    SafeTensors.save(file, tensors, Map.of("gradus.recording", json));
    return file;
  }

  private String refused(String json, Map<String, Tensor> tensors) throws IOException {
    Path file = tensors(json, tensors);
    String message =
        assertThrows(MalformedRecordingException.class, () -> Recording.open(file)).getMessage();
    return message.substring(file.toString().length() + 2);
  }

  @Test
  void tensorsStandInForListsAndMustFit() throws IOException {
    String json =
        JSON.replace("\"initial\": [1, 2]", "\"initial\": \"w0\"")
            .replace("{\"rows\": [0], \"values\": [2, 2]}", "{\"rows\": \"r\", \"values\": \"g\"}");
    try (Device device = Device.open("cpu")) {
      Map<String, Tensor> all = new HashMap<>();
      all.put("w0", device.tensor(new double[] {1, 2}, 1, 2));
      all.put("r", device.tensor(new long[] {0}, 1));
      all.put("g", device.tensor(new double[] {2, 2}, 1, 2));
      try (Recording recording = Recording.open(tensors(json, all))) {
        assertEquals(null, Replay.of(recording, device, 0).firstAbove());
      }
      assertEquals(
          "parameter 'w': there is no tensor 'w0' in the file",
          refused(json, Map.of("g", all.get("g"))));
      all.put("g", device.tensor(new float[] {2, 2}, 1, 2));
      assertEquals(
          "step 2: gradient of 'w': tensor 'g' is float32 [1, 2] but float64 [1, 2] is expected",
          refused(json, all));
      all.put("g", device.tensor(new double[] {2, 2}, 2));
      assertEquals(
          "step 2: gradient of 'w': tensor 'g' is float64 [2] but float64 [1, 2] is expected",
          refused(json, all));
      Path plain = folder.resolve("plain.safetensors");
      SafeTensors.save(plain, all);
      assertEquals(
          plain
              + ": its metadata has no text 'gradus.recording'; it is no recording, see"
              + " docs/parity.md",
          assertThrows(MalformedRecordingException.class, () -> Recording.open(plain))
              .getMessage());
    }
  }
}
