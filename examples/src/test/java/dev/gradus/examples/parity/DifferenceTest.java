package dev.gradus.examples.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

class DifferenceTest {
  private static Difference f32(double a, double b) {
    return Difference.of(DType.F32, new double[] {1, a}, new double[] {1, b});
  }

  private static Difference f64(double a, double b) {
    return Difference.of(DType.F64, new double[] {a, 1}, new double[] {b, 1});
  }

  @Test
  void eachNumberIsTheGreatestOverTheElements() {
    double[] a = {1, 1000, 0x1p-20};
    double[] b = {1.5, 1001, 0x1p-18};
    Difference d = Difference.of(DType.F64, a, b);
    assertEquals(1, d.absolute());
    assertEquals(0.75, d.relative());
    assertEquals(1L << 53, d.ulp());
    assertEquals(1L << 24, Difference.of(DType.F32, a, b).ulp());
  }

  @Test
  void neighboursAreOneApartOnBothSidesOfZero() {
    assertEquals(1, f32(1, Math.nextUp(1f)).ulp());
    assertEquals(1, f32(-1, Math.nextUp(-1f)).ulp());
    assertEquals(2, f32(Float.MIN_VALUE, -Float.MIN_VALUE).ulp());
    assertEquals(3, f64(2, 2 + 3 * Math.ulp(2.0)).ulp());
    assertEquals(2, f64(Double.MIN_VALUE, -Double.MIN_VALUE).ulp());
  }

  @Test
  void theGreatestDistanceDoesNotOverflow() {
    assertEquals(2L * 0x7f7fffff, f32(Float.MAX_VALUE, -Float.MAX_VALUE).ulp());
    assertEquals(Long.MAX_VALUE, f64(Double.MAX_VALUE, -Double.MAX_VALUE).ulp());
  }

  @Test
  void bothZerosAreEqualAndSoAreTwoNaNsAndTwoInfinities() {
    assertEquals(Difference.NONE, f32(0, -0.0));
    assertEquals(Difference.NONE, f64(Double.NaN, Double.NaN));
    assertEquals(Difference.NONE, f64(Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY));
  }

  @Test
  void whereOnlyOneIsANumberTheDifferenceIsInfinite() {
    for (double odd : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
      assertEquals(Double.POSITIVE_INFINITY, f64(odd, 1).absolute());
      assertEquals(Double.POSITIVE_INFINITY, f64(1, odd).relative());
      assertEquals(Double.POSITIVE_INFINITY, f32(1, odd).absolute());
    }
  }

  @Test
  void aStepAddsWhatItMovesAnElementAway() {
    Drift drift = new Drift(DType.F64, new double[] {1, -4});
    Comparison.Row one = drift.step(1, "w", new double[] {2, 0}, new double[] {2.5, 0}, 0.125);
    assertEquals(new Comparison.Row(1, "w", one.difference(), 0.5, 0.5), one);
    Comparison.Row two = drift.step(2, "w", new double[] {3.5, 0}, new double[] {3, 6}, 0.125);
    assertEquals(new Comparison.Row(2, "w", two.difference(), 6, 0.75), two);
    Comparison.Row three = drift.step(3, "w", new double[] {1.5, 1}, new double[] {1, 7}, 0.125);
    assertEquals(new Comparison.Row(3, "w", three.difference(), 0, 0.875), three);
    assertEquals(6, three.difference().absolute());
  }

  @Test
  void whatBecomesNotFiniteIsAboveEveryToleranceUnlessBothDo() {
    Drift drift = new Drift(DType.F32, new double[] {1, 1});
    double[] half = {Double.NaN, 1};
    assertEquals(0, drift.step(1, "w", half, half.clone(), 0.125).added());
    Comparison.Row row = drift.step(2, "w", new double[] {1, 1}, half, 0.125);
    assertEquals(Double.POSITIVE_INFINITY, row.added());
    assertEquals(0.125, row.allowed());
  }
}
