package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gradus.spi.Philox;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Figures without a file were computed with PyTorch 2.13 (CPU, AVX-512) after {@code manual_seed}
 * of the seed given.
 */
class GeneratorTest {

  /** Every entry of the golden file, by its name: kind_seed_arguments. */
  @TestFactory
  List<DynamicTest> everyGoldenEntryIsReproduced() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (InputStream file = GeneratorTest.class.getResourceAsStream("/golden/rng.json")) {
      new ObjectMapper()
          .readTree(file)
          .get("v")
          .properties()
          .forEach(
              e ->
                  tests.add(
                      DynamicTest.dynamicTest(e.getKey(), () -> check(e.getKey(), e.getValue()))));
    }
    assertEquals(36, tests.size());
    return tests;
  }

  private static void check(String name, JsonNode expected) {
    String[] parts = name.split("_", -1);
    Generator generator = new Generator(Long.parseLong(parts[1]));
    int n = Integer.parseInt(parts.length > 2 ? parts[parts.length - 1] : "25");
    switch (parts[0]) {
      case "rand" -> assertBits(expected, uniform(generator, n, 0, 1));
      case "randn" -> assertBits(expected, normal(generator, n));
      case "uniform" ->
          assertBits(
              expected,
              uniform(generator, n, Double.parseDouble(parts[2]), Double.parseDouble(parts[3])));
      case "randn64" -> {
        double[] values = new double[n];
        generator.normal(values, 0, 1);
        assertNear(doubles(expected), values);
      }
      case "randperm" -> {
        long[] order = new long[n];
        generator.randperm(order);
        assertArrayEquals(longs(expected), order);
      }
      case "randint" -> {
        long[] values = new long[n];
        generator.randint(values, Long.parseLong(parts[2]), Long.parseLong(parts[3]));
        assertArrayEquals(longs(expected), values);
      }
      case "Linear5x3" -> {
        // PyTorch's Linear: kaiming_uniform with a = sqrt(5) for the weight, then the bias
        double gain = Math.sqrt(2 / (1 + Math.sqrt(5) * Math.sqrt(5)));
        double bound = Math.sqrt(3) * (gain / Math.sqrt(5));
        assertBits(expected.get("w"), uniform(generator, 15, -bound, bound));
        assertBits(expected.get("b"), uniform(generator, 3, -1 / Math.sqrt(5), 1 / Math.sqrt(5)));
      }
      case "Emb5x5" -> assertBits(expected, normal(generator, n));
      default -> throw new AssertionError("no rule for the golden entry " + name);
    }
  }

  private static float[] uniform(Generator generator, int n, double from, double to) {
    float[] values = new float[n];
    generator.uniform(values, from, to);
    return values;
  }

  private static float[] normal(Generator generator, int n) {
    float[] values = new float[n];
    generator.normal(values, 0, 1);
    return values;
  }

  private static double[] doubles(JsonNode node) {
    double[] values = new double[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = Double.parseDouble(node.get(i).asText());
    }
    return values;
  }

  private static long[] longs(JsonNode node) {
    long[] values = new long[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = node.get(i).asLong();
    }
    return values;
  }

  private static void assertBits(JsonNode expected, float[] actual) {
    assertEquals(expected.size(), actual.length);
    for (int i = 0; i < actual.length; i++) {
      assertEquals(Float.parseFloat(expected.get(i).asText()), actual[i], "element " + i);
    }
  }

  /** To 2 ulp: log, sin and cos may differ between mathematical libraries by one ulp each. */
  private static void assertNear(double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < actual.length; i++) {
      assertEquals(expected[i], actual[i], 2 * Math.ulp(expected[i]), "element " + i);
    }
  }

  @Test
  void longFloatStreamsHaveTheirBits() {
    assertEquals(405629460, Arrays.hashCode(normal(new Generator(7), 1003)));
    assertEquals(-250183993, Arrays.hashCode(uniform(new Generator(7), 1003, 0, 1)));
    assertEquals(1174947535, Arrays.hashCode(uniform(new Generator(7), 1003, -0.3, 0.7)));
  }

  @Test
  void longDoubleUniformsHaveTheirBits() {
    Generator generator = new Generator(7);
    double[] rand = new double[17];
    generator.uniform(rand, 0, 1);
    assertEquals(-1251113850, Arrays.hashCode(rand));
    double[] bounded = new double[101];
    generator.uniform(bounded, -0.3, 0.7);
    assertEquals(-1984030289, Arrays.hashCode(bounded));
  }

  @Test
  void theCachedNormalSurvivesALongCallAndMeanAndStdAreTheCallers() {
    Generator generator = new Generator(7);
    float[] all = new float[32];
    System.arraycopy(normal(generator, 15), 0, all, 0, 15);
    System.arraycopy(normal(generator, 16), 0, all, 15, 16);
    System.arraycopy(normal(generator, 1), 0, all, 31, 1);
    assertEquals(1775940059, Arrays.hashCode(all));

    generator.manualSeed(7);
    float[] lengthy = new float[37];
    generator.normal(lengthy, 3, 0.5);
    assertEquals(1511485046, Arrays.hashCode(lengthy));
    float[] brief = new float[5];
    generator.normal(brief, -2, 0.25);
    assertEquals(-1326249660, Arrays.hashCode(brief));
  }

  @Test
  void longIntegerStreamsHaveTheirValues() {
    long[] order = new long[1003];
    new Generator(7).randperm(order);
    assertEquals(783649140, Arrays.hashCode(order));

    Generator generator = new Generator(7);
    assertEquals(
        1130673729,
        randintHash(generator, -1000, (1L << 28) - 1001)); // the widest range of one word
    assertEquals(
        669259602, randintHash(generator, -1000, (1L << 28) - 1000)); // the narrowest of two
    assertEquals(1913619970, randintHash(generator, -(1L << 62), 1L << 62));
    assertEquals(-742253510, randintHash(generator, Long.MIN_VALUE, Long.MAX_VALUE));
  }

  private static int randintHash(Generator generator, long low, long high) {
    long[] values = new long[101];
    generator.randint(values, low, high);
    return Arrays.hashCode(values);
  }

  @Test
  void onlyTheLowHalfOfTheSeedStartsTheStream() {
    assertEquals(new Generator(3).random64(), new Generator(3 + (1L << 32)).random64());
    assertNotEquals(new Generator(3).random64(), new Generator(4).random64());
    Generator negative = new Generator(-5);
    assertEquals(41579095, Arrays.hashCode(uniform(negative, 3, 0, 1)));
    assertEquals(0x1.dd64cep-1f, uniform(negative, 1, 0, 1)[0]);
    assertEquals(-5, negative.seed());
  }

  @Test
  void random64IsTwoWordsTheFirstAbove() {
    Generator words = new Generator(11);
    long first = words.random() & 0xffffffffL;
    long second = words.random() & 0xffffffffL;
    assertEquals(first << 32 | second, new Generator(11).random64());
  }

  @Test
  void emptyArraysTakeNothing() {
    Generator generator = new Generator(1);
    GeneratorState before = generator.state();
    generator.uniform(new float[0], 0, 1);
    generator.uniform(new double[0], 0, 1);
    generator.normal(new float[0], 0, 1);
    generator.normal(new double[0], 0, 1);
    generator.randint(new long[0], 0, 2);
    generator.randperm(new long[0]);
    generator.randperm(new long[1]);
    assertEquals(before, generator.state());
    assertEquals(0, generator.nextPhiloxOffset(0));
    assertEquals(before, generator.state());
  }

  @Test
  void equalBoundsGiveTheBoundAndStdZeroTheMean() {
    Generator generator = new Generator(1);
    assertArrayEquals(new float[] {2, 2, 2}, uniform(generator, 3, 2, 2));
    float[] means = new float[17];
    generator.normal(means, 4, 0);
    float[] fours = new float[17];
    Arrays.fill(fours, 4);
    assertArrayEquals(fours, means);
  }

  @Test
  void uniformValuesNeverReachTheUpperBound() {
    // in float32 the difference 2^-23 leaves two values only, of which the upper is excluded
    float next = Math.nextUp(1f);
    float[] values = uniform(new Generator(1), 100, 1, next);
    for (float value : values) {
      assertEquals(1f, value);
    }
  }

  @Test
  void manualSeedRestartsEverything() {
    Generator generator = new Generator(5);
    normal(generator, 3);
    generator.nextPhiloxOffset(10);
    generator.manualSeed(6);
    assertEquals(new Generator(6).state(), generator.state());
    assertEquals(6, generator.seed());
  }

  @Test
  void consecutivePhiloxOffsetsNeverOverlap() {
    Generator generator = new Generator(5);
    int first = generator.random();
    generator.manualSeed(5);
    assertEquals(0, generator.nextPhiloxOffset(1));
    assertEquals(1, generator.nextPhiloxOffset(4));
    assertEquals(2, generator.nextPhiloxOffset(5));
    assertEquals(4, generator.nextPhiloxOffset(0));
    assertEquals(4, generator.nextPhiloxOffset(1L << 40));
    assertEquals(4 + (1L << 38), generator.nextPhiloxOffset(1));
    assertEquals(first, generator.random(), "reserving must not take words");
    assertEquals(4 + Philox.blocks(1L << 40) + 1, generator.state().philoxOffset());
  }

  @Test
  void refusalsSayWhatWasGivenAndTakeNothing() {
    Generator generator = new Generator(2);
    GeneratorState before = generator.state();
    assertRefused(
        "uniform: from is 2.0 and to is 1.0; from must be <= to",
        () -> generator.uniform(new float[3], 2, 1));
    assertRefused(
        "uniform: from is 2.0 and to is 1.0; from must be <= to",
        () -> generator.uniform(new double[3], 2, 1));
    assertRefused(
        "uniform: from is NaN and to is 1.0; both and their difference must be finite in float32",
        () -> generator.uniform(new float[3], Double.NaN, 1));
    assertRefused(
        "uniform: from is 0.0 and to is 1.0E39; both and their difference must be finite in"
            + " float32",
        () -> generator.uniform(new float[3], 0, 1e39));
    assertRefused(
        "uniform: from is -1.0E308 and to is 1.0E308; both and their difference must be finite in"
            + " float64",
        () -> generator.uniform(new double[3], -1e308, 1e308));
    assertRefused(
        "normal: std must be >= 0 and finite but is -1.0",
        () -> generator.normal(new float[3], 0, -1));
    assertRefused(
        "normal: std must be >= 0 and finite but is NaN",
        () -> generator.normal(new double[3], 0, Double.NaN));
    assertRefused(
        "normal: std must be >= 0 and finite but is Infinity",
        () -> generator.normal(new double[3], 0, Double.POSITIVE_INFINITY));
    assertRefused(
        "normal: mean must be finite but is NaN",
        () -> generator.normal(new float[3], Double.NaN, 1));
    assertRefused(
        "randint: low is 3 and high is 3; low must be < high",
        () -> generator.randint(new long[1], 3, 3));
    assertRefused(
        "Philox: the number of elements must be >= 0 but is -1",
        () -> generator.nextPhiloxOffset(-1));
    assertEquals(before, generator.state());
  }

  private static void assertRefused(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }

  @Test
  void threadsShareOneStreamWithoutLosingOrRepeatingAWord() throws InterruptedException {
    int threads = 4;
    int each = 50_000;
    Generator shared = new Generator(9);
    long[] drawn = new long[threads * each];
    List<Thread> workers = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int start = t * each;
      Thread worker =
          new Thread(
              () -> {
                for (int i = start; i < start + each; i++) {
                  drawn[i] = shared.random64();
                }
              });
      workers.add(worker);
      worker.start();
    }
    for (Thread worker : workers) {
      worker.join();
    }
    Generator alone = new Generator(9);
    long[] expected = new long[threads * each];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = alone.random64();
    }
    Arrays.sort(expected);
    Arrays.sort(drawn);
    assertTrue(Arrays.equals(expected, drawn));
  }
}
