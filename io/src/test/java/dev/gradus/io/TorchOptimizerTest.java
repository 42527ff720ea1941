package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.ASGD;
import dev.gradus.optim.Adadelta;
import dev.gradus.optim.Adafactor;
import dev.gradus.optim.Adagrad;
import dev.gradus.optim.Adam;
import dev.gradus.optim.AdamW;
import dev.gradus.optim.Adamax;
import dev.gradus.optim.LBFGS;
import dev.gradus.optim.Muon;
import dev.gradus.optim.NAdam;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.OptimizerBuilder;
import dev.gradus.optim.OptimizerOptions;
import dev.gradus.optim.RAdam;
import dev.gradus.optim.RMSprop;
import dev.gradus.optim.Rprop;
import dev.gradus.optim.SGD;
import dev.gradus.optim.Schedule;
import dev.gradus.optim.Schedules;
import dev.gradus.optim.SparseAdam;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** States of PyTorch's optimizers, and the steps that PyTorch makes after them. */
class TorchOptimizerTest {
  @TempDir Path folder;

  private Device device;

  /** Optimizers with default options: the state brings its own. */
  private static Optimizer<?> optimizer(String kind, NamedParameters p) {
    return switch (kind) {
      case "ASGD" -> groups(ASGD.withDefaults(), p);
      case "Adadelta" -> groups(Adadelta.withDefaults(), p);
      case "Adafactor" -> groups(Adafactor.withDefaults(), p);
      case "Adagrad" -> groups(Adagrad.withDefaults(), p);
      case "Adam" -> scheduled(groups(Adam.withDefaults(), p), Schedules.exponential(0.9));
      case "AdamW" ->
          scheduled(
              groups(AdamW.withDefaults(), p),
              Schedules.reduceOnPlateau().withFactor(0.5).withPatience(2));
      case "Adamax" -> groups(Adamax.withDefaults(), p);
      case "Muon" -> groups(Muon.withDefaults(), p);
      case "NAdam" -> groups(NAdam.withDefaults(), p);
      case "RAdam" -> groups(RAdam.withDefaults(), p);
      case "RMSprop" -> groups(RMSprop.withDefaults(), p);
      case "Rprop" -> groups(Rprop.withDefaults(), p);
      case "SGD" -> groups(SGD.withDefaults(), p);
      case "SparseAdam" -> groups(SparseAdam.withDefaults(), p);
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private static <O extends OptimizerOptions<O>> Optimizer<O> groups(
      OptimizerBuilder<O, ? extends Optimizer<O>> builder, NamedParameters p) {
    return builder.group("head", p.matching("head.**")).group("rest", p.others()).build();
  }

  private static Optimizer<?> scheduled(Optimizer<?> optimizer, Schedule schedule) {
    optimizer.schedule(schedule);
    return optimizer;
  }

  @BeforeEach
  void open() {
    device = Device.open("cpu");
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static Path resource(String name) {
    try {
      return Path.of(TorchOptimizerTest.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static NamedParameters parameters(Map<String, Tensor> recorded) {
    List<Map.Entry<String, Parameter>> all = new ArrayList<>();
    for (String name : List.of("emb.weight", "head.weight", "head.bias")) {
      Tensor values = recorded.get("param." + name);
      if (values != null) {
        all.add(Map.entry(name, new Parameter(values)));
      }
    }
    return NamedParameters.of(all);
  }

  /** Gives a parameter the gradient of a step: of the rows that were recorded, or of all. */
  @SuppressWarnings("try") // the scope is open for its effect
  private static void backward(Map<String, Tensor> recorded, String which, Parameter p) {
    try (Scope scope = Scope.open()) {
      Tensor rows = recorded.get("rows." + which);
      Tensor used = rows == null ? p : p.indexSelect(0, rows);
      used.mul(recorded.get("grad." + which)).sum().backward();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ASGD",
        "Adadelta",
        "Adafactor",
        "Adagrad",
        "Adam",
        "AdamW",
        "Adamax",
        "Muon",
        "NAdam",
        "RAdam",
        "RMSprop",
        "Rprop",
        "SGD",
        "SparseAdam"
      })
  void trainingGoesOnWherePyTorchWas(String kind) throws IOException {
    Map<String, Tensor> recorded =
        SafeTensors.load(resource("torch-" + kind + "-steps.safetensors"), device);
    NamedParameters p = parameters(recorded);
    Optimizer<?> optimizer = optimizer(kind, p);
    TorchOptimizer.load(resource("torch-" + kind + ".safetensors"), optimizer);
    assertEquals(0.02, optimizer.group("head").lr());
    for (int t = 3; t < 6; t++) {
      optimizer.zeroGrad();
      for (String name : p.names()) {
        backward(recorded, t + "." + name, p.get(name));
      }
      optimizer.step();
      optimizer.stepSchedules(1.0);
    }
    assertValues(recorded, p);
  }

  private static void assertValues(Map<String, Tensor> recorded, NamedParameters p) {
    for (String name : p.names()) {
      double[] expected = recorded.get("after." + name).toDoubleArray();
      double[] actual = p.get(name).toDoubleArray();
      for (int i = 0; i < expected.length; i++) {
        // As for trajectories of PyTorch.
        assertEquals(expected[i], actual[i], 1e-14 * Math.max(1, Math.abs(expected[i])), name);
      }
    }
  }

  @Test
  void lbfgsGoesOnWherePyTorchWas() throws IOException {
    Map<String, Tensor> recorded =
        SafeTensors.load(resource("torch-LBFGS-steps.safetensors"), device);
    NamedParameters p = parameters(recorded);
    LBFGS lbfgs = LBFGS.of(p);
    TorchOptimizer.load(resource("torch-LBFGS.safetensors"), lbfgs);
    assertEquals(LBFGS.LineSearch.STRONG_WOLFE, lbfgs.group("all").options().lineSearch());
    for (int t = 3; t < 6; t++) {
      lbfgs.step(
          () -> {
            lbfgs.zeroGrad();
            Tensor loss = device.zeros(DType.F64);
            for (String name : p.names()) {
              loss = loss.add(weighted(p.get(name)));
            }
            loss.backward();
            return loss;
          });
    }
    assertValues(recorded, p);
  }

  /** The sum of {@code w (p - 1)^2} with w = 1, 2, … */
  private Tensor weighted(Parameter p) {
    Tensor w = device.arange(p.numel()).add(1).to(DType.F64).reshape(p.shape().toArray());
    Tensor from = p.sub(1);
    return w.mul(from.mul(from)).sum();
  }

  // ---- what does not fit

  private void refuses(String text, Path file, Optimizer<?> optimizer) {
    assertEquals(
        "TorchOptimizer.load: " + file + " does not fit; nothing was changed\n  " + text,
        assertThrows(IllegalArgumentException.class, () -> TorchOptimizer.load(file, optimizer))
            .getMessage());
  }

  private NamedParameters parameters() throws IOException {
    return parameters(SafeTensors.load(resource("torch-Adam-steps.safetensors"), device));
  }

  @Test
  void anotherKindIsNamed() throws IOException {
    refuses(
        "it is of SGD and the optimizer is Adam; make one of the kind that was saved",
        resource("torch-SGD.safetensors"),
        groups(Adam.withDefaults(), parameters()));
  }

  @Test
  void groupsThatDifferAreNamed() throws IOException {
    NamedParameters p = parameters();
    Path file = resource("torch-Adam.safetensors");
    refuses(
        "the file has 2 param groups, the optimizer 1; make the same groups, in the same order",
        file,
        Adam.of(p));
    refuses(
        "group 'emb' has 1 parameters, number 0 of the file 2; make the same groups, or export with"
            + " the model's names\n"
            + "  group 'rest' has 2 parameters, number 1 of the file 1; make the same groups, or"
            + " export with the model's names",
        file,
        Adam.withDefaults().group("emb", p.matching("emb.**")).group("rest", p.others()).build());
  }

  @Test
  void anOrderThatDiffersIsToldWithTheNames() throws IOException {
    NamedParameters p = parameters();
    Optimizer<?> adam =
        scheduled(
            Adam.withDefaults()
                .group("head", List.of(p.get("head.bias"), p.get("head.weight")))
                .group("rest", p.others())
                .build(),
            Schedules.exponential(0.9));
    String text =
        assertThrows(
                IllegalArgumentException.class,
                () -> TorchOptimizer.load(resource("torch-Adam.safetensors"), adam))
            .getMessage();
    assertTrue(
        text.contains(
            "\n"
                + "  parameter 'head.bias' in group 'head': exp_avg is [3, 2] but the parameter"
                + " is [3]"),
        text);
    assertTrue(
        text.endsWith(
            "\n  numbers were matched in order: 0 'head.bias', 1 'head.weight', 2 'emb.weight';"
                + " export with the model to match names"),
        text);
  }

  @Test
  void namesOfAnotherModelAreTold() throws IOException {
    NamedParameters p = parameters();
    NamedParameters others =
        NamedParameters.of(
            List.of(
                Map.entry("emb.weight", p.get("emb.weight")),
                Map.entry("head.weight", p.get("head.weight")),
                Map.entry("head.offset", p.get("head.bias"))));
    refuses(
        "parameters that the optimizer has not: 'head.bias'\n"
            + "  parameters that the state has not: 'head.offset'",
        resource("torch-SGD.safetensors"),
        groups(SGD.withDefaults(), others));
  }

  @Test
  void aScheduleHasToBeAttached() throws IOException {
    Optimizer<?> adam = groups(Adam.withDefaults(), parameters());
    String text =
        assertThrows(
                IllegalArgumentException.class,
                () -> TorchOptimizer.load(resource("torch-Adam.safetensors"), adam))
            .getMessage();
    assertTrue(text.contains("the schedule of the optimizer went to {step=3.0} but none is"), text);
  }

  @Test
  void anotherFileIsNoExport() throws IOException {
    Path file = folder.resolve("f");
    SafeTensors.save(file, Map.of());
    assertEquals(
        "TorchOptimizer.load: "
            + file
            + " is no exported optimizer: it has no metadata 'gradus.torch_optimizer'; write it"
            + " with scripts/export_torch_optimizer.py",
        assertThrows(
                IllegalArgumentException.class,
                () -> TorchOptimizer.load(file, SGD.of(parameters())))
            .getMessage());
  }

  private static final String GOOD =
      "{'source':'t','format':1,'kind':'SGD','schedule':{},'groups':[{'numbers':[0],'names':[],"
          + "'options':{'lr':0.5}}],'parameters':{'0':{'steps':2,'buffers':['momentum_buffer'],"
          + "'scalars':{}}}}";

  private Path write(String json) throws IOException {
    Path file = folder.resolve("export");
    SafeTensors.save(
        file,
        Map.of("0.momentum_buffer", device.ones(2)),
        Map.of("gradus.torch_optimizer", json.replace('\'', '"')));
    return file;
  }

  @Test
  void optionsThatTheFileLacksStay() throws IOException {
    Parameter w = new Parameter(device.zeros(2));
    SGD sgd = SGD.of(NamedParameters.of(List.of(Map.entry("w", w))), o -> o.withMomentum(0.25));
    TorchOptimizer.load(write(GOOD), sgd);
    assertEquals(0.5, sgd.group("all").lr());
    assertEquals(0.25, sgd.group("all").options().momentum());
    assertEquals(2, sgd.stepsOf(w));
    assertArrayEquals(
        new float[] {1, 1},
        sgd.stateDict()
            .parameters()
            .get("w")
            .buffers()
            .get("momentum_buffer")
            .on(device)
            .toFloatArray());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'numbers':[0] | 'numbers':[-1] | '/groups/0/numbers/0' is no whole number",
        "'names':[] | 'names':['a','b'] | a group has 1 parameters and 2 names",
        "'0':{ | '1':{ | names a tensor '1.momentum_buffer', which is not in the file",
        "['momentum_buffer'],'scalars':{}} | [],'scalars':{}},'7':{'steps':1,'buffers':[],"
            + "'scalars':{}} | there is state of parameters that are in no group",
        "'source':'t', | `` | '/format' stands where the field 'source' belongs",
      })
  void aDamagedExportIsRefused(String good, String bad, String words) throws IOException {
    Path file = write(GOOD.replace(good, bad));
    SGD sgd = SGD.of(NamedParameters.of(List.of(Map.entry("w", new Parameter(device.zeros(2))))));
    String text =
        assertThrows(MalformedFileException.class, () -> TorchOptimizer.load(file, sgd))
            .getMessage();
    assertTrue(text.contains(words), text);
  }

  @Test
  void anotherFormatIsNamed() throws IOException {
    Path file = write(GOOD.replace("'format':1", "'format':2"));
    SGD sgd = SGD.of(NamedParameters.of(List.of(Map.entry("w", new Parameter(device.zeros(2))))));
    assertEquals(
        "TorchOptimizer.load: "
            + file
            + ", of 't', has format 2; this release reads format 1: export it with the script of"
            + " this release",
        assertThrows(IllegalArgumentException.class, () -> TorchOptimizer.load(file, sgd))
            .getMessage());
  }
}
