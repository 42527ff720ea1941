package dev.gradus.testing;

import dev.gradus.spi.Backend;
import dev.gradus.types.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;

/**
 * The suite that every backend extends: each primitive and each fused operation against the {@link
 * ReferenceBackend}, at odd sizes, with every type it takes, in place where that is allowed, and
 * with NaN, infinities and subnormal numbers among the operands.
 *
 * <p>Each test opens a device by {@link #open} and closes it.
 */
public abstract class BackendContract
    implements UnaryContract,
        ElementwiseContract,
        AxisContract,
        ProductContract,
        TransferContract,
        RowsContract,
        PowersContract,
        PlanContract,
        PointwiseContract,
        ConcurrencyContract {
  private Lab lab;

  /** For subclasses. */
  protected BackendContract() {}

  /** Opens a device of the backend under test; it is closed by the suite. */
  protected abstract Backend open();

  /**
   * The error allowed to a transcendental function, in units in the last place of its type.
   *
   * @return 2 for F32, against a correctly rounded result; 4 for F64, where the reference itself is
   *     off by one
   */
  @Override
  public double transcendentalUlps(DType dtype) {
    return dtype == DType.F32 ? 2 : 4;
  }

  /**
   * Whether the device has a fused multiply-add. Without one, F32 results of the operations that
   * ask for it are compared within one unit in the last place of their largest term.
   */
  @Override
  public boolean exactFma() {
    return true;
  }

  @Override
  public final Backend another() {
    return open();
  }

  @Override
  public final Lab lab() {
    return lab;
  }

  @BeforeEach
  final void openLab() {
    lab = new Lab(open());
  }

  @AfterEach
  final void closeLab() {
    if (lab != null) { // else opening the device failed, or skipped the test
      lab.close();
      Assertions.assertEquals(0, lab.reference().live());
    }
  }
}
