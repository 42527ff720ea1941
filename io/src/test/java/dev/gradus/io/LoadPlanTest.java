package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Linear;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadPlanTest {
  @TempDir Path folder;

  private final Device device = Device.over(new ReferenceBackend("ref"));
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("model.safetensors");
  }

  @AfterEach
  void closeDevice() {
    device.close();
  }

  @Test
  void loadIntoListsEveryProblemAndChangesNothing() throws IOException {
    SafeTensors.save(
        file,
        Map.of(
            "same", device.ones(2),
            "shape", device.ones(2, 3),
            "type", device.ones(DType.F64, 2),
            "extra", device.ones(1)));
    Map<String, Tensor> targets =
        Map.of(
            "same", device.zeros(2),
            "shape", device.zeros(3, 2),
            "type", device.zeros(2),
            "lacking", device.zeros(4));
    String text =
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.loadInto(file, targets))
            .getMessage();
    assertTrue(text.contains(file + " does not fit; nothing was changed"), text);
    assertTrue(text.contains("missing in the file:\n    'lacking' float32 [4]"), text);
    assertTrue(text.contains("unexpected in the file:\n    'extra' F32 [1]"), text);
    assertTrue(text.contains("'shape' is [2, 3] in the file and [3, 2] here"), text);
    assertTrue(text.contains("'type' is float64 in the file and float32 here"), text);
    assertTrue(
        text.endsWith("read what fits one by one: SafeTensors.open(file).readInto(name, tensor)"),
        text);
    assertArrayEquals(new float[2], targets.get("same").toFloatArray());
  }

  @Test
  void aCheckpointIsNoFileOfAModelAndTheWayToTakeItIsSaid() throws IOException {
    Linear model = new Linear(device, 1, 1);
    new Checkpoint().model(model).save(file, Notes.at(1));
    assertEquals(
        "SafeTensors.loadInto: "
            + file
            + " does not fit; nothing was changed\n"
            + "  missing in the file:\n"
            + "    'weight' float32 [1, 1]\n"
            + "    'bias' float32 [1]\n"
            + "  unexpected in the file:\n"
            + "    'model.bias' F32 [1]\n"
            + "    'model.weight' F32 [1, 1]\n"
            + "  the file is a checkpoint: new Checkpoint().model(model).load(file,"
            + " Strictness.LENIENT) takes its model alone",
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.loadInto(file, model))
            .getMessage());
  }

  @Test
  void tiedTargetsWithTwoDataAreRefused() throws IOException {
    SafeTensors.save(file, Map.of("a", device.ones(2), "b", device.zeros(2)));
    Tensor t = device.zeros(2);
    Map<String, Tensor> tied = new LinkedHashMap<>();
    tied.put("a", t);
    tied.put("b", t);
    String text =
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.loadInto(file, tied))
            .getMessage();
    assertTrue(text.contains("'b' is tied to 'a' here and has data of its own in the file"), text);
    assertArrayEquals(new float[2], t.toFloatArray());
  }

  @Test
  void aComputedTensorIsNotOverwritten() throws IOException {
    SafeTensors.save(file, Map.of("a", device.ones(2)));
    Tensor computed = device.zeros(2).requiresGrad(true).mul(2);
    String text =
        assertThrows(
                IllegalArgumentException.class,
                () -> SafeTensors.loadInto(file, Map.of("a", computed)))
            .getMessage();
    assertTrue(text.contains("'a' would overwrite a computed tensor"), text);
  }

  @Test
  void loadingIsSeenByBackward() throws IOException {
    Parameter p = new Parameter(device.ones(2));
    SafeTensors.save(file, Map.of("p", p));
    Tensor loss = p.mul(p).sum();
    SafeTensors.loadInto(file, Map.of("p", p));
    assertThrows(IllegalStateException.class, loss::backward);
  }
}
