package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against what PyTorch prints; tour.py beside the files made them. */
class TourTest {
  private static final String TRAINING = "\nTraining;";
  private static final Pattern NUMBER = Pattern.compile("-?\\d+\\.\\d+");

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 42})
  void printsWhatPyTorchPrints(long seed) throws Exception {
    Run run = Run.of("tour", "--backend", "cpu", "--seed", String.valueOf(seed));
    assertEquals(0, run.code(), run.err());
    assertEquals("", run.err());
    String expected = expected(seed);
    String actual = run.out().replace(System.lineSeparator(), "\n");
    assertEquals(initial(expected), initial(actual));
    assertTrainedAlike(trained(expected), trained(actual));
  }

  private static String expected(long seed) throws Exception {
    try (InputStream in = TourTest.class.getResourceAsStream("tour-" + seed + ".txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String initial(String tour) {
    return tour.substring(0, tour.indexOf(TRAINING));
  }

  private static String trained(String tour) {
    return tour.substring(tour.indexOf(TRAINING));
  }

  /** The same text, but for numbers that may differ by one unit of their last digit. */
  private static void assertTrainedAlike(String expected, String actual) {
    assertEquals(masked(expected), masked(actual));
    List<BigDecimal> wanted = numbers(expected);
    List<BigDecimal> got = numbers(actual);
    for (int i = 0; i < wanted.size(); i++) {
      BigDecimal difference = wanted.get(i).subtract(got.get(i)).abs();
      assertTrue(
          difference.compareTo(wanted.get(i).ulp()) <= 0, wanted.get(i) + " but " + got.get(i));
    }
  }

  private static String masked(String text) {
    return NUMBER.matcher(text).replaceAll("#").replaceAll(" +#", " #");
  }

  private static List<BigDecimal> numbers(String text) {
    List<BigDecimal> numbers = new ArrayList<>();
    Matcher m = NUMBER.matcher(text);
    while (m.find()) {
      numbers.add(new BigDecimal(m.group()));
    }
    return numbers;
  }
}
