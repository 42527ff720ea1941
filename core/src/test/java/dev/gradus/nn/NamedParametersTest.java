package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class NamedParametersTest extends Fixture {
  private final Parameter a = new Parameter(device.zeros(2, 3));
  private final Parameter b = new Parameter(device.zeros(3));
  private final Parameter c = new Parameter(device.zeros(1));
  private final NamedParameters named =
      NamedParameters.of(
          List.of(
              Map.entry("enc.0.weight", a),
              Map.entry("enc.0.bias", b),
              Map.entry("head.weight", a),
              Map.entry("head.bias", c)));

  @Test
  void aTiedParameterCountsOnceUnderItsFirstName() {
    assertEquals(List.of("enc.0.weight", "enc.0.bias", "head.bias"), named.names());
    assertEquals(List.of(a, b, c), named.parameters());
    assertEquals(3, named.size());
    assertEquals(Map.of("head.weight", "enc.0.weight"), named.aliases());
    assertSame(a, named.get("head.weight"));
    assertEquals("enc.0.weight", named.nameOf(a));
    assertNull(named.nameOf(new Parameter(device.zeros(1))));
  }

  @Test
  void itPrintsNamesWithShapesAndAliases() {
    assertEquals(
        """
        enc.0.weight [2, 3]
        enc.0.bias [3]
        head.bias [1]
        head.weight = enc.0.weight\
        """,
        named.toString());
  }

  @Test
  void aChoiceIsFrozenAndThawed() {
    named.matching("**.bias").freeze();
    assertEquals(List.of(true, false, false), requireGrad());
    named.matching("head.*").thaw();
    assertEquals(List.of(true, false, true), requireGrad());
    named.all().freeze();
    assertEquals(List.of(false, false, false), requireGrad());
    named.where("of rank 2", (name, p) -> p.shape().rank() == 2).thaw();
    assertEquals(List.of(true, false, false), requireGrad());
  }

  private List<Boolean> requireGrad() {
    return named.parameters().stream().map(Parameter::requiresGrad).toList();
  }

  @Test
  void aFrozenParameterForgetsItsGradient() {
    c.sum().backward();
    named.matching("head.bias").freeze();
    assertFalse(c.hasGrad());
    named.matching("head.bias").thaw();
    assertFalse(c.hasGrad());
    c.sum().backward();
    assertTrue(c.hasGrad());
  }

  @Test
  void aPatternThatFreezesNothingIsRefusedAndFreezesNothing() {
    refuses(
        "freeze: pattern 'haed.bias' matches none of the 3 parameters; the nearest names are"
            + " 'head.bias', 'enc.0.bias', 'enc.0.weight'",
        () -> named.matching("haed.bias").freeze());
    refuses(
        "thaw: pattern 'head.weight' matches only other names of tied parameters: 'head.weight' is"
            + " 'enc.0.weight'; use the latter",
        () -> named.matching("head.weight").thaw());
    refuses(
        "freeze: 'others' is what no group of an optimizer takes; choose with matching(pattern) or"
            + " all()",
        () -> named.others().freeze());
    refuses(
        "freeze: pattern '**' matches nothing: there are no parameters; layers count when they are"
            + " registered",
        () -> NamedParameters.of(List.of()).matching("**").freeze());
    assertEquals(List.of(true, true, true), requireGrad());
  }

  @Test
  void anUnknownNameIsRefusedWithThoseThatExist() {
    refuses(
        "named parameters: there is no 'x'; there are [enc.0.weight, enc.0.bias, head.bias]",
        () -> named.get("x"));
  }

  @Test
  void aNameCannotComeTwice() {
    String text =
        "named parameters: the name 'enc.0.weight' comes twice; give each model a prefix of its"
            + " own";
    refuses(text, () -> named.and(named));
    assertEquals(
        List.of("gen.weight", "gen.bias", "dis.weight", "dis.bias"),
        new Linear(device, 1, 1)
            .namedParameters("gen.")
            .and(new Linear(device, 1, 1).namedParameters("dis."))
            .names());
  }

  @Test
  void aStarStaysInOneSegmentAndTwoCross() {
    assertEquals(List.of("head.bias"), named.matching("*.bias").names());
    assertEquals(List.of("enc.0.bias", "head.bias"), named.matching("**.bias").names());
    assertEquals(List.of("enc.0.weight", "enc.0.bias"), named.matching("enc.**").names());
    assertEquals(List.of("enc.0.bias"), named.matching("enc.?.b*").names());
    assertEquals(List.of(), named.matching("encX0.bias").names());
    assertEquals(List.of("head.weight"), named.matching("head.w*").aliases());
    refuses("pattern ' ' is empty; use '**' for all parameters", () -> named.matching(" "));
  }

  @Test
  void choicesByExpressionPredicateAndRest() {
    Selection regex = named.matching(Pattern.compile(".*\\.bias"));
    assertEquals(List.of("enc.0.bias", "head.bias"), regex.names());
    assertEquals(Selection.Kind.PATTERN, regex.kind());
    Selection matrices = named.where("matrices", (n, p) -> p.shape().rank() == 2);
    assertEquals(List.of("enc.0.weight"), matrices.names());
    assertEquals("matrices", matrices.description());
    assertEquals(3, named.all().names().size());
    assertEquals(Selection.Kind.LIST, named.all().kind());
    assertEquals(Selection.Kind.OTHERS, named.others().kind());
  }
}
