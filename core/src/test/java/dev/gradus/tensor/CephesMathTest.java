package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CephesMathTest {

  private static final int STEPS = 1 << 20;

  /** Cephes states a relative error of 8e-8 for the logarithm: 1.3 units of 2^-24. */
  @Test
  void lnIsTheLogarithmOnTheUniformsItIsUsedFor() {
    for (int i = 1; i <= STEPS; i++) {
      float x = (float) i / STEPS;
      double exact = Math.log(x);
      assertEquals(exact, CephesMath.ln(x), 8e-8 * Math.abs(exact), "ln " + x);
    }
    assertEquals(0f, CephesMath.ln(1f));
    assertEquals((float) Math.log(0x1p-24), CephesMath.ln(0x1p-24f), 2e-6f);
  }

  /** Cephes states an absolute error of 1.2e-7 for arguments up to 8192. */
  @Test
  void sinAndCosAreRightInEveryOctant() {
    for (int i = 0; i < STEPS; i++) {
      float x = (float) (2 * Math.PI) * ((float) i / STEPS);
      assertEquals(Math.sin(x), CephesMath.sin(x), 1.2e-7, "sin " + x);
      assertEquals(Math.cos(x), CephesMath.cos(x), 1.2e-7, "cos " + x);
    }
    assertEquals(0f, CephesMath.sin(0f));
    assertEquals(1f, CephesMath.cos(0f));
  }
}
