package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.gradus.nn.Linear;
import dev.gradus.nn.LoadResult;
import dev.gradus.nn.Module;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Strictness;
import dev.gradus.optim.Adam;
import dev.gradus.optim.AveragedModel;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.SGD;
import dev.gradus.optim.Schedules;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Generator;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  @TempDir Path folder;

  private Device device;
  private Path file;

  @BeforeEach
  void open() {
    device = Device.open("cpu");
    file = folder.resolve("training.safetensors");
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** Two layers, the first of which may be tied to a further name. */
  private static final class Net extends Module {
    Net(Device device, int inputs, String second) {
      Linear first = register("first", new Linear(device, inputs, 2));
      register(second, new Linear(device, 2, 3));
      registerParameter("tied", first.namedParameters().get("weight"));
      registerBuffer("seen", device.tensor(new long[] {7}));
    }
  }

  private static Adam adam(Module model) {
    Adam adam =
        Adam.withDefaults(o -> o.withLr(0.1 / 3))
            .group("bias", model.namedParameters().matching("**.bias"))
            .group("rest", model.namedParameters().others(), o -> o.withBetas(0.8, 0.95))
            .build();
    adam.schedule(Schedules.exponential(0.9));
    return adam;
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private static void step(Optimizer<?> optimizer) {
    try (Scope scope = Scope.open()) {
      optimizer.zeroGrad();
      optimizer.groups().forEach(g -> g.parameters().forEach(p -> p.mul(p).sum().backward()));
      optimizer.step();
      optimizer.stepSchedules();
    }
  }

  private static void refuses(String text, Executable action) {
    assertEquals(text, assertThrows(IllegalArgumentException.class, action).getMessage());
  }

  // ---- what comes back

  @Test
  void everythingComesBack() throws IOException {
    Net model = new Net(device, 4, "second");
    Adam one = adam(model);
    step(one);
    one.group("bias").setLr(Math.PI);
    Generator order = new Generator(5);
    order.normal(new double[3], 0, 1);
    Notes notes =
        Notes.at(1L << 60)
            .with("loss", 0.1)
            .with("none", Double.NaN)
            .with("much", Double.NEGATIVE_INFINITY)
            .with("zero", -0.0)
            .with("text", "Grüße 🙂 \"\\\n");
    Checkpoint saved = new Checkpoint().model(model).optimizer(one).generator("order", order);
    saved.save(file, notes);

    Net again = new Net(device, 4, "second");
    Adam two = adam(again);
    Generator other = new Generator(6);
    Checkpoint loaded = new Checkpoint().model(again).optimizer(two).generator("order", other);
    assertEquals(notes, loaded.load(file));
    assertEquals(notes, Checkpoint.notes(file));
    assertEquals(one.describe(), two.describe());
    assertEquals(order.state(), other.state());
    assertEquals(1, two.stepsOf(again.namedParameters().get("first.weight")));
    loaded.save(folder.resolve("again"), notes);
    assertEquals(-1, Files.mismatch(file, folder.resolve("again")));
    assertTrue(loaded.load(file, Strictness.LENIENT).isComplete());
  }

  @Test
  void theFileIsOneOfTensors() throws IOException {
    Net model = new Net(device, 4, "second");
    Adam adam = adam(model);
    step(adam);
    new Checkpoint().model(model).optimizer(adam).save(file, Notes.at(3).with("loss", 0.5));
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals(List.of(2L, 4L), boxed(reader.shape("model.first.weight").toArray()));
      assertEquals(Map.of("model.first.weight", "model.tied"), reader.aliases());
      assertTrue(reader.contains("optimizer.second.bias.exp_avg_sq"));
      String json = reader.metadata().get("gradus.checkpoint");
      assertTrue(json.startsWith("{\"version\":\"0."), json);
      assertFalse(json.contains("$"), json);
      assertTrue(
          json.contains(
              "\"format\":1,\"step\":3,\"numbers\":{\"loss\":0.5},\"texts\":{},"
                  + "\"models\":[\"model\"],\"averages\":[],\"optimizers\":{\"optimizer\":{\"kind\":\"Adam\""),
          json);
    }
  }

  private static List<Long> boxed(long[] values) {
    return Arrays.stream(values).boxed().toList();
  }

  @Test
  void savingAndLoadingTakeLittleMemoryOfTheirOwn() throws IOException {
    Linear model = new Linear(device, 1000, 1001);
    Adam one = Adam.of(model.namedParameters());
    step(one);
    Checkpoint saved = new Checkpoint().model(model).optimizer(one);
    long bytes = 3L * 4 * 1001 * 1001;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    saved.save(file, Notes.at(1));
    long taken = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(taken < bytes / 8, "took " + taken + " to save " + bytes);

    Linear other = new Linear(device, 1000, 1001);
    Adam two = Adam.of(other.namedParameters());
    Checkpoint loaded = new Checkpoint().model(other).optimizer(two);
    device.trim();
    before = threads.getCurrentThreadAllocatedBytes();
    loaded.load(file);
    taken = threads.getCurrentThreadAllocatedBytes() - before;
    // The optimizer's buffers are new, and one more is taken while one is made.
    assertTrue(taken < bytes * 9 / 8, "took " + taken + " to load " + bytes);
  }

  // ---- averages

  @Test
  void averagesComeBack() throws IOException {
    Net model = new Net(device, 4, "second");
    AveragedModel ema = AveragedModel.ema(model, 0.5).withBuffers();
    Adam one = adam(model);
    one.afterStep(ema::update);
    Checkpoint saved = new Checkpoint().model(model).averages(ema);
    saved.save(file, Notes.at(0));
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals("model.second.bias", reader.aliases().get("averages.module.second.bias"));
    }
    step(one);
    step(one);
    saved.save(file, Notes.at(1));
    Net again = new Net(device, 4, "second");
    AveragedModel other = AveragedModel.ema(again, 0.5).withBuffers();
    Checkpoint loaded = new Checkpoint().model(again).averages(other);
    loaded.load(file);
    assertEquals(2, other.updates());
    loaded.save(folder.resolve("again"), Notes.at(1));
    assertEquals(-1, Files.mismatch(file, folder.resolve("again")));
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals(
          Set.of("averages.module.first.weight"),
          reader.aliases().keySet().stream()
              .filter(n -> n.startsWith("averages."))
              .collect(Collectors.toSet()));
    }
  }

  @Test
  void averagesOfAnotherModelAreRefusedLenientlyToo() throws IOException {
    Net model = new Net(device, 4, "second");
    AveragedModel swa = AveragedModel.swa(model);
    swa.update();
    new Checkpoint().averages("swa", swa).save(file, Notes.at(1));
    AveragedModel other = AveragedModel.swa(new Net(device, 4, "head"));
    refuses(
        "Checkpoint.load: "
            + file
            + " does not fit; nothing was changed\n"
            + "  'swa': unexpected: 'module.second.bias'\n"
            + "  'swa': unexpected: 'module.second.weight'\n"
            + "  'swa': missing: 'module.head.weight'\n"
            + "  'swa': missing: 'module.head.bias'\n"
            + "  leniently, only names of models and optimizers may differ: give what has another"
            + " shape a new name, and leave out averages that do not fit",
        () -> new Checkpoint().averages("swa", other).load(file, Strictness.LENIENT));
    assertEquals(0, other.updates());
    assertEquals(
        new LoadResult(List.of("ema"), List.of("swa")),
        new Checkpoint().averages("ema", other).load(file, Strictness.LENIENT));
  }

  @Test
  @SuppressWarnings("try") // the swap is open for its effect
  void whileAveragesAreInTheModelNothingIsSavedOrLoaded() throws IOException {
    Net model = new Net(device, 4, "second");
    AveragedModel ema = AveragedModel.ema(model, 0.5);
    Adam one = adam(model);
    step(one);
    ema.update();
    Checkpoint checkpoint = new Checkpoint().model(model).averages(ema).optimizer(one);
    checkpoint.save(file, Notes.at(1));
    step(one);
    try (AveragedModel.Swap swap = ema.swapIn()) {
      assertEquals(
          "AveragedModel.liveState: the averages are in the model; close what swapIn() gave before",
          assertThrows(IllegalStateException.class, () -> checkpoint.save(file, Notes.at(1)))
              .getMessage());
      assertThrows(IllegalStateException.class, () -> checkpoint.load(file));
    }
    assertEquals(2, one.stepsOf(model.namedParameters().get("first.weight")));
  }

  // ---- names

  @Test
  void partsHaveNamesOfTheirOwn() {
    Checkpoint c = new Checkpoint().model(new Linear(device, 1, 1));
    refuses(
        "checkpoint: there are two parts 'model'; give each a name of its own: model(name, model)",
        () -> c.model(new Linear(device, 1, 1)));
    refuses(
        "checkpoint: there are two parts 'model'; give each a name of its own: model(name, model)",
        () -> c.generator("model", device.generator()));
    refuses(
        "checkpoint: a part is named 'a.b'; a name must not be empty and has no dots",
        () -> c.generator("a.b", device.generator()));
    refuses(
        "checkpoint: a part is named ''; a name must not be empty and has no dots",
        () -> c.generator("", device.generator()));
  }

  @Test
  void notesThatAreNotThereAreToldWithThoseThatAre() {
    Notes notes = Notes.at(1).with("loss", 0.5).with("rate", 1).with("seed", "7");
    refuses(
        "notes: there is no number 'seed'; there are ['loss', 'rate']", () -> notes.number("seed"));
    refuses("notes: there is no text 'loss'; there are ['seed']", () -> notes.text("loss"));
    refuses("notes: step must be >= 0 but is -1", () -> Notes.at(-1));
    refuses(
        "notes: 'a' has half a surrogate pair; it is no text",
        () -> Notes.at(1).with("a", "\ud800"));
  }

  // ---- what does not fit

  @Test
  void everyProblemIsListedAndNothingIsChanged() throws IOException {
    Net model = new Net(device, 4, "second");
    Adam one = adam(model);
    step(one);
    new Checkpoint()
        .model(model)
        .optimizer(one)
        .generator("order", new Generator(1))
        .save(file, Notes.at(1));

    Net changed = new Net(device, 5, "head");
    SGD two = SGD.of(changed.namedParameters());
    Adam three = adam(changed);
    Checkpoint other =
        new Checkpoint()
            .model(changed)
            .optimizer(three)
            .optimizer("more", two)
            .generator("device", device.generator());
    float[] before = changed.namedParameters().get("first.bias").toFloatArray();
    refuses(
        "Checkpoint.load: "
            + file
            + " does not fit; nothing was changed\n"
            + "  'more' is not in the file\n"
            + "  'device' is not in the file\n"
            + "  'order' is in the file and was not asked for; add it, or leave it with"
            + " Strictness.LENIENT\n"
            + "  'model': missing in the file: 'head.weight' float32 [3, 2]\n"
            + "  'model': missing in the file: 'head.bias' float32 [3]\n"
            + "  'model': unexpected in the file: 'second.bias' F32 [3]\n"
            + "  'model': unexpected in the file: 'second.weight' F32 [3, 2]\n"
            + "  'model': different: 'tied' is [2, 4] in the file and [2, 5] here\n"
            + "  'model': different: 'first.weight' is [2, 4] in the file and [2, 5] here\n"
            + "  'optimizer': parameters that the optimizer has not: 'second.bias',"
            + " 'second.weight'\n"
            + "  'optimizer': parameters that the state has not: 'head.bias', 'head.weight'\n"
            + "  'optimizer': parameter 'tied' in group 'rest': exp_avg is [2, 4] but the parameter"
            + " is [2, 5]\n"
            + "  'optimizer': parameter 'tied' in group 'rest': exp_avg_sq is [2, 4] but the"
            + " parameter is [2, 5]",
        () -> other.load(file));
    assertArrayEquals(before, changed.namedParameters().get("first.bias").toFloatArray());
    assertEquals(0, three.stepsOf(changed.namedParameters().get("first.bias")));
  }

  @Test
  void anotherShapeIsRefusedLenientlyToo() throws IOException {
    new Checkpoint().model(new Linear(device, 2, 3)).save(file, Notes.at(1));
    Linear wider = new Linear(device, 2, 5);
    float[] before = wider.weight().toFloatArray();
    refuses(
        "Checkpoint.load: "
            + file
            + " does not fit; nothing was changed\n"
            + "  'model': different: 'weight' is [3, 2] in the file and [5, 2] here\n"
            + "  'model': different: 'bias' is [3] in the file and [5] here\n"
            + "  leniently, only names of models and optimizers may differ: give what has another"
            + " shape a new name, and leave out averages that do not fit",
        () -> new Checkpoint().model(wider).load(file, Strictness.LENIENT));
    assertArrayEquals(before, wider.weight().toFloatArray());
  }

  @Test
  void lenientLoadingTakesWhatFitsAndTellsTheRest() throws IOException {
    Net model = new Net(device, 4, "second");
    Adam one = adam(model);
    step(one);
    new Checkpoint()
        .model(model)
        .optimizer(one)
        .generator("order", new Generator(1))
        .save(file, Notes.at(1));
    Net changed = new Net(device, 4, "head");
    Adam two = adam(changed);
    Checkpoint other =
        new Checkpoint().model(changed).optimizer(two).generator("device", device.generator());
    NamedParameters parameters = changed.namedParameters();
    Tensor head = parameters.get("head.bias");
    float[] fresh = head.toFloatArray();
    assertEquals(
        new LoadResult(
            List.of(
                "device",
                "optimizer.head.bias",
                "optimizer.head.weight",
                "model.head.weight",
                "model.head.bias"),
            List.of(
                "order",
                "optimizer.second.bias",
                "optimizer.second.weight",
                "model.second.bias",
                "model.second.weight")),
        other.load(file, Strictness.LENIENT));
    assertArrayEquals(fresh, head.toFloatArray());
    assertArrayEquals(
        model.namedParameters().get("first.bias").toFloatArray(),
        parameters.get("first.bias").toFloatArray());
    assertEquals(1, two.stepsOf(parameters.get("first.bias")));
    assertEquals(0, two.stepsOf(parameters.get("head.bias")));
  }
}
