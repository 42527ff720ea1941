package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GroupTableTest {
  private Device device;
  private NamedParameters named;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    named = Fixture.random(device, DType.F32, 0, "emb.weight", "emb.bias", "out.weight");
  }

  @AfterEach
  void close() {
    device.close();
  }

  @Test
  void anOptimizerPrintsInPytorchsLayout() {
    Adam adam =
        Adam.withDefaults(o -> o.withLr(0.01))
            .group("head", named.matching("out.**"), o -> o.withLr(3e-5).withWeightDecay(0.01))
            .group("rest", named.others())
            .build();
    assertEquals(
        """
        Adam (
        Parameter Group 0
            amsgrad: False
            betas: (0.9, 0.999)
            decoupled_weight_decay: False
            eps: 1e-08
            lr: 3e-05
            maximize: False
            name: head
            weight_decay: 0.01
            param_names: ['out.weight']

        Parameter Group 1
            amsgrad: False
            betas: (0.9, 0.999)
            decoupled_weight_decay: False
            eps: 1e-08
            lr: 0.01
            maximize: False
            name: rest
            weight_decay: 0
            param_names: ['emb.weight', 'emb.bias']
        )\
        """,
        adam.toString());
  }

  @Test
  void aScheduleShowsTheRateInForceAndTheBaseRate() {
    SGD sgd = SGD.of(named, o -> o.withLr(1));
    sgd.schedule(Schedules.exponential(0.1));
    sgd.stepSchedules();
    assertEquals(
        """
        SGD (
        Parameter Group 0
            dampening: 0
            initial_lr: 1.0
            lr: 0.1
            maximize: False
            momentum: 0
            name: all
            nesterov: False
            weight_decay: 0
            param_names: ['emb.weight', 'emb.bias', 'out.weight']
        )\
        """,
        sgd.toString());
    assertEquals("group 'all': lr 0.1, 3 parameters", sgd.group("all").toString());
  }

  @Test
  void describeIsATableOfGroups() {
    Parameter p = named.get("emb.weight");
    NamedParameters tied =
        NamedParameters.of(
            List.of(
                Map.entry("emb.weight", p),
                Map.entry("emb.bias", named.get("emb.bias")),
                Map.entry("out.weight", p)));
    SGD sgd =
        SGD.withDefaults(o -> o.withMomentum(0.9))
            .group("table", tied.matching("emb.weight"), o -> o.withLr(0.5))
            .allowUnused()
            .build();
    sgd.schedule(Schedules.step(2, 0.1));
    assertEquals(
        """
        group  parameters  tensors  elements   lr  lr now  schedule           options
        table  emb.weight        1         6  0.5     0.5  Step(2, 0.1) at 0  dampening 0, maximize \
        False, momentum 0.9, nesterov False, weight_decay 0
        in no group: emb.bias
        tied: out.weight is emb.weight in group table
        """,
        sgd.describe());
  }

  @Test
  void describeShowsWhatIsFrozenAndWhatEarlierGroupsTook() {
    SGD sgd =
        SGD.withDefaults()
            .group("emb", named.matching("emb.*"))
            .group("weights", named.matching("**.weight"))
            .build();
    named.matching("emb.bias").freeze();
    assertEquals(
        """
        frozen: 1 of 2 tensors of group emb, 4 elements
        shadowed: **.weight of group weights also matches 1 in group emb
        """,
        below(sgd));
    named.matching("**.weight").freeze();
    assertEquals(
        """
        frozen: 2 of 2 tensors of group emb, 10 elements
        frozen: 1 of 1 tensors of group weights, 12 elements
        shadowed: **.weight of group weights also matches 1 in group emb
        """,
        below(sgd));
    named.all().thaw();
    assertEquals("shadowed: **.weight of group weights also matches 1 in group emb\n", below(sgd));
  }

  /** What describe says below its table. */
  private static String below(SGD sgd) {
    return String.join(
        "", sgd.describe().lines().skip(1 + sgd.groups().size()).map(line -> line + "\n").toList());
  }

  @Test
  void aScheduleWithoutWordsOfItsOwnIsCustom() {
    SGD sgd = SGD.of(named, o -> o.withLr(1));
    sgd.schedule((step, base) -> base / (step + 1));
    sgd.stepSchedules();
    assertEquals(
        """
        group  parameters  tensors  elements   lr  lr now  schedule     options
        all    all               3        22  1.0     0.5  custom at 1  dampening 0, maximize False, \
        momentum 0, nesterov False, weight_decay 0
        """,
        sgd.describe());
  }
}
