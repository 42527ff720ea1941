package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

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
