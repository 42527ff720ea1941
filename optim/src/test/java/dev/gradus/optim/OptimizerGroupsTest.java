package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class OptimizerGroupsTest {
  private Device device;
  private NamedParameters named;

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    named =
        Fixture.random(device, DType.F32, 0, "emb.weight", "emb.bias", "head.weight", "head.bias");
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static String refused(Executable action) {
    return Fixture.refused(IllegalArgumentException.class, action);
  }

  private static OptimizerBuilder<Adam.Options, Adam> adam() {
    return Adam.withDefaults();
  }

  // ---- layers

  @Test
  void layersHaveRatesThatFallTowardsTheInput() {
    Adam adam =
        Adam.withDefaults(o -> o.withLr(0.1).withWeightDecay(0.5))
            .groupsByLayer(named, List.of("emb.weight", "emb.bias", "head.**"), 0.5)
            .build();
    assertEquals(
        List.of("layer-0", "layer-1", "layer-2"),
        adam.groups().stream().map(ParamGroup::name).toList());
    assertEquals(
        List.of(0.1 * 0.25, 0.1 * 0.5, 0.1), adam.groups().stream().map(ParamGroup::lr).toList());
    assertEquals(List.of("head.weight", "head.bias"), adam.group("layer-2").names());
    assertEquals(0.5, adam.group("layer-0").options().weightDecay());
  }

  @Test
  void aLayerWithoutAMatchIsRefused() {
    OptimizerBuilder<Adam.Options, Adam> builder =
        adam().groupsByLayer(named, List.of("emb.**", "haed.*"), 0.5);
    assertEquals(
        "group 'layer-1': pattern 'haed.*' matches none of the 4 parameters; the nearest names are"
            + " 'head.bias', 'emb.bias', 'head.weight'",
        refused(builder::build));
  }

  @Test
  void whatIsInNoLayerIsRefused() {
    OptimizerBuilder<Adam.Options, Adam> builder =
        adam().groupsByLayer(named, List.of("emb.**"), 0.5);
    assertEquals(
        "Adam: no param group takes 'head.weight', 'head.bias'; add a group of others(), or call"
            + " allowUnused()",
        refused(builder::build));
  }

  @Test
  void wrongDecaysAndNoLayersAreRefused() {
    for (double decay : new double[] {0, -1, 1.5, Double.NaN}) {
      assertEquals(
          "Adam.groupsByLayer: decay must be in (0, 1] but is " + decay,
          refused(() -> adam().groupsByLayer(named, List.of("**"), decay)));
    }
    assertEquals(
        "Adam.groupsByLayer: there are no layers; give a pattern for each",
        refused(() -> adam().groupsByLayer(named, List.of(), 0.5)));
  }

  // ---- choosing

  @Test
  void theEarlierOfOverlappingPatternsWins() {
    Adam adam =
        adam()
            .group("bias", named.matching("**.bias"))
            .group("head", named.matching(Pattern.compile("head.*")))
            .group("rest", named.others())
            .group("none", named.others())
            .build();
    assertEquals(List.of("emb.bias", "head.bias"), adam.group("bias").names());
    assertEquals(List.of("head.weight"), adam.group("head").names());
    assertEquals(List.of(named.get("emb.weight")), adam.group("rest").parameters());
    assertEquals(List.of(), adam.group("none").names());
  }

  @Test
  void whatAGroupLeavesAloneIsTheDefault() {
    Adam adam =
        Adam.withDefaults(o -> o.withLr(0.01).withEps(1e-3))
            .group("head", named.matching("head.**"), o -> o.withLr(0.1))
            .group("rest", named.others())
            .build();
    assertEquals(0.1, adam.group("head").lr());
    assertEquals(1e-3, adam.group("head").options().eps());
    assertEquals(0.01, adam.group("rest").lr());
  }

  @Test
  void biasesAndNormsAreSplitFromWhatDecays() {
    AdamW adam =
        AdamW.withDefaults().group("emb", named.matching("emb.**")).groupsByDecay(named).build();
    assertEquals(List.of("head.weight"), adam.group("decay").names());
    assertEquals(0.01, adam.group("decay").options().weightDecay());
    assertEquals(List.of("head.bias"), adam.group("no-decay").names());
    assertEquals(0, adam.group("no-decay").options().weightDecay());
  }

  @Test
  void aListTakesItsNamesFromTheModelOfOtherGroupsOrFromTheGroup() {
    Parameter loose = Fixture.parameter(device, DType.F32, 1, 2);
    Adam adam =
        adam()
            .group("x", List.of(named.get("head.bias"), loose))
            .group("rest", named.others())
            .build();
    assertEquals(List.of("head.bias", "x.1"), adam.group("x").names());
    assertEquals(List.of("emb.weight", "emb.bias", "head.weight"), adam.group("rest").names());
  }

  @Test
  void frozenParametersBelongToTheUniverse() {
    named.get("head.bias").requiresGrad(false);
    assertEquals(4, Adam.of(named).groups().get(0).parameters().size());
  }

  @Test
  void unusedParametersAreLeftAloneWhereAllowed() {
    Adam adam = adam().group("head", named.matching("head.**")).allowUnused().build();
    assertEquals(2, adam.group("head").parameters().size());
  }

  // ---- errors of choice

  @Test
  void listsThatOverlapNameTheParameterAndBothGroups() {
    assertEquals(
        "parameter 'head.bias' is in two param groups: 'decay' and 'no-decay'",
        refused(
            () ->
                adam()
                    .group("decay", named.all())
                    .group("no-decay", List.of(named.get("head.bias")))
                    .build()));
  }

  @Test
  void aListAfterAPatternNamesBothGroups() {
    assertEquals(
        "parameter 'emb.weight' is in two param groups: 'emb' and 'all'",
        refused(
            () -> adam().group("emb", named.matching("emb.*")).group("all", named.all()).build()));
  }

  @Test
  void aParameterTwiceInOneListIsRefused() {
    Parameter p = named.get("head.bias");
    assertEquals(
        "parameter 'head.bias' is twice in param group 'x'; list it once",
        refused(() -> adam().group("x", List.of(p, p)).group("rest", named.others()).build()));
  }

  @Test
  void aShadowedPatternIsRefused() {
    assertEquals(
        "group 'bias': all that pattern 'head.bias' matches is in earlier groups: 'head.bias' in"
            + " 'head'; put this group before them or leave it out",
        refused(
            () ->
                adam()
                    .group("head", named.matching("head.**"))
                    .group("bias", named.matching("head.bias"))
                    .build()));
  }

  @Test
  void aPatternThatMatchesNothingListsTheNearestNames() {
    assertEquals(
        "group 'head': pattern 'heads.**' matches none of the 4 parameters; the nearest names are"
            + " 'head.bias', 'head.weight', 'emb.bias'",
        refused(() -> adam().group("head", named.matching("heads.**")).build()));
  }

  @Test
  void aPatternThatMatchesOnlyAnAliasNamesBoth() {
    Parameter p = named.get("emb.weight");
    NamedParameters tied =
        NamedParameters.of(List.of(Map.entry("emb.weight", p), Map.entry("out.weight", p)));
    assertEquals(
        "group 'out': pattern 'out.**' matches only other names of tied parameters: 'out.weight' is"
            + " 'emb.weight'; use the latter",
        refused(() -> adam().group("out", tied.matching("out.**")).build()));
  }

  @Test
  void parametersThatNoGroupTakesAreListed() {
    assertEquals(
        "Adam: no param group takes 'emb.weight', 'emb.bias', 'head.weight'; add a group of"
            + " others(), or call allowUnused()",
        refused(() -> adam().group("b", named.matching("head.bias")).build()));
  }

  @Test
  void twoGroupsOfOneNameAreRefused() {
    assertEquals(
        "Adam: there are two param groups 'a'; give each a name of its own",
        refused(
            () -> adam().group("a", named.matching("emb.*")).group("a", named.others()).build()));
    assertEquals(
        "Adam: a param group's name is blank; give it one",
        refused(() -> adam().group(" ", named.all()).build()));
  }

  @Test
  void emptyListsModelsAndOptimizersAreRefused() {
    NamedParameters none = NamedParameters.of(List.of());
    assertEquals(
        "group 'x': the list of parameters is empty; leave the group out",
        refused(() -> adam().group("x", List.of()).build()));
    assertEquals(
        "group 'all': there are no parameters to optimize; the model has none: layers count when"
            + " they are registered",
        refused(() -> Adam.of(none)));
    assertEquals(
        "group 'x': pattern '**' matches nothing: there are no parameters; layers count when they"
            + " are registered",
        refused(() -> adam().group("x", none.matching("**")).build()));
    assertEquals(
        "Adam: there are no parameters to optimize; the model has none: layers count when"
            + " they are registered",
        refused(() -> adam().group("x", none.others()).build()));
    assertEquals(
        "Adam: there are no param groups; add one with group(name, parameters)",
        refused(() -> adam().build()));
  }

  @Test
  void oneNameForTwoParametersIsRefused() {
    NamedParameters other = Fixture.random(device, DType.F32, 1, "emb.weight");
    assertEquals(
        "Adam: the name 'emb.weight' stands for two different parameters; give each model a prefix"
            + " of its own",
        refused(() -> adam().group("a", named.all()).group("b", other.all()).build()));
  }

  @Test
  void aGroupThatIsNotThereIsNamedWithThoseThatAre() {
    Adam adam = Adam.of(named);
    assertEquals(
        "Adam: there is no param group 'head'; there are 'all'", refused(() -> adam.group("head")));
    Parameter loose = Fixture.parameter(device, DType.F32, 1, 2);
    assertEquals("Adam: parameter [2] is in no param group", refused(() -> adam.stepsOf(loose)));
  }

  @Test
  void aRefusedGroupLeavesTheOptimizerAsItWas() {
    Adam adam = adam().group("head", named.matching("head.**")).allowUnused().build();
    String before = adam.describe();
    refused(() -> adam.addGroup("bias", named.matching("*.bias").universe().all()));
    refused(() -> adam.addGroup("head", named.others()));
    refused(() -> adam.addGroup("emb", named.others(), o -> o.withLr(-1)));
    assertEquals(before, adam.describe());
    adam.addGroup("emb", List.of(named.get("emb.weight")), o -> o);
    assertEquals(List.of("emb.weight"), adam.group("emb").names());
    adam.addGroup("bias", List.of(named.get("emb.bias")));
    assertEquals(List.of("emb.bias"), adam.group("bias").names());
    assertEquals(Adam.Options.defaults(), adam.group("bias").options());
  }

  @Test
  void groupsCannotBeRemovedBehindTheOptimizersBack() {
    Adam adam = Adam.of(named);
    assertThrows(UnsupportedOperationException.class, () -> adam.groups().clear());
  }

  // ---- errors of options

  @Test
  void invalidValuesOfAdamAreRefused() {
    assertEquals(
        "Adam lr must be >= 0 but is -1.0", refused(() -> Adam.of(named, o -> o.withLr(-1))));
    assertEquals(
        "Adam lr must be >= 0 but is NaN",
        refused(() -> Adam.of(named, o -> o.withLr(Double.NaN))));
    assertEquals(
        "Adam lr must be finite but is Infinity",
        refused(() -> Adam.of(named, o -> o.withLr(Double.POSITIVE_INFINITY))));
    assertEquals(
        "Adam beta1 must be in [0, 1) but is 1.0",
        refused(() -> Adam.of(named, o -> o.withBetas(1, 0.9))));
    assertEquals(
        "Adam beta2 must be in [0, 1) but is -0.1",
        refused(() -> Adam.of(named, o -> o.withBetas(0.9, -0.1))));
    assertEquals(
        "Adam eps must be >= 0 but is -1.0E-8",
        refused(() -> Adam.of(named, o -> o.withEps(-1e-8))));
    assertEquals(
        "AdamW weightDecay must be >= 0 but is -1.0",
        refused(() -> AdamW.of(named, o -> o.withWeightDecay(-1))));
  }

  @Test
  void invalidValuesOfSgdAreRefused() {
    assertEquals(
        "SGD lr must be >= 0 but is NaN", refused(() -> SGD.of(named, o -> o.withLr(Double.NaN))));
    assertEquals(
        "SGD momentum must be >= 0 but is -0.5",
        refused(() -> SGD.of(named, o -> o.withMomentum(-0.5))));
    assertEquals(
        "SGD dampening must be finite but is NaN",
        refused(() -> SGD.of(named, o -> o.withDampening(Double.NaN))));
    assertEquals(
        "SGD weightDecay must be >= 0 but is -1.0",
        refused(() -> SGD.of(named, o -> o.withWeightDecay(-1))));
    assertEquals(
        "SGD nesterov needs momentum > 0 and dampening 0 but they are 0.0 and 0.0",
        refused(() -> SGD.of(named, o -> o.withNesterov(true))));
    assertEquals(
        "SGD nesterov needs momentum > 0 and dampening 0 but they are 0.9 and 0.1",
        refused(
            () -> SGD.of(named, o -> o.withMomentum(0.9).withDampening(0.1).withNesterov(true))));
  }

  @Test
  void invalidValuesInAGroupNameTheGroup() {
    assertEquals(
        "group 'head': Adam lr must be >= 0 but is -1.0",
        refused(() -> adam().group("head", named.all(), o -> o.withLr(-1))));
  }

  @Test
  void invalidValuesSetByHandNameTheGroupAndChangeNothing() {
    Adam adam = Adam.of(named);
    ParamGroup<Adam.Options> g = adam.group("all");
    Adam.Options before = g.options();
    assertEquals("group 'all': Adam lr must be >= 0 but is -1.0", refused(() -> g.setLr(-1)));
    assertEquals(
        "group 'all': Adam lr must be >= 0 but is NaN", refused(() -> g.scaleLr(Double.NaN)));
    assertEquals(
        "group 'all': Adam beta1 must be in [0, 1) but is 1.0",
        refused(() -> g.options(o -> o.withBetas(1, 0.9))));
    assertEquals(before, g.options());
    assertEquals(before, g.optionsNow());
  }

  @Test
  void aChangeThatGivesNoOptionsIsRefusedAndChangesNothing() {
    String rest = " gave null; return the options that ";
    assertTrue(
        refused(() -> adam().group("head", named.all(), o -> null))
            .startsWith("group 'head': its change of options" + rest));
    Adam adam = adam().group("head", named.matching("head.**")).allowUnused().build();
    ParamGroup<Adam.Options> g = adam.group("head");
    Adam.Options before = g.options();
    assertEquals(
        "group 'head': its change of options"
            + rest
            + "it is given, or what their withers make of them",
        refused(() -> g.options(o -> null)));
    assertEquals(
        "group 'head': the options are null; give those that the group shall have",
        refused(() -> g.setOptions(null)));
    assertTrue(
        refused(() -> adam.addGroup("emb", named.others(), o -> null))
            .startsWith("group 'emb': its change of options" + rest));
    assertEquals(before, g.optionsNow());
    assertEquals(1, adam.groups().size());
  }

  @Test
  void defaultsThatAreNullAreRefused() {
    String rest =
        ": the change of the default options gave null; return the options that it is given, or"
            + " what their withers make of them";
    assertEquals("Adam" + rest, refused(() -> Adam.withDefaults(o -> null)));
    assertEquals("AdamW" + rest, refused(() -> AdamW.of(named, o -> null)));
    assertEquals("SGD" + rest, refused(() -> SGD.withDefaults(o -> null)));
  }
}
