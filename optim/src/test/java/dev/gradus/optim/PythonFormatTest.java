package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PythonFormatTest {
  /** Python 3: {@code repr(x)}. */
  @ParameterizedTest
  @CsvSource({
    "0.001, 0.001",
    "1e-4, 0.0001",
    "1e-5, 1e-05",
    "3e-5, 3e-05",
    "1e-8, 1e-08",
    "1.5e-7, 1.5e-07",
    "1, 1.0",
    "100, 100.0",
    "1e15, 1000000000000000.0",
    "1e16, 1e+16",
    "2e23, 2e+23",
    "1.2345e100, 1.2345e+100",
    "0.010000000000000002, 0.010000000000000002",
    "5e-324, 5e-324",
    "-2.5, -2.5",
    "0, 0.0",
    "NaN, nan",
    "-Infinity, -inf",
  })
  void numbersPrintAsPythonsRepr(double x, String expected) {
    assertEquals(expected, PythonFormat.of(x));
  }

  @ParameterizedTest
  @CsvSource({"0.001, 0.001", "0, 0"})
  void optionsPrintZeroAsPytorchsDefaults(double x, String expected) {
    assertEquals(expected, PythonFormat.of((Object) x));
    assertEquals("(0.0, " + PythonFormat.of(x) + ")", PythonFormat.of(List.of(0.0, x)));
    assertEquals("False", PythonFormat.of((Object) false));
  }
}
