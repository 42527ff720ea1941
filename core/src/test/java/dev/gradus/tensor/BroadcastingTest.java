package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.spi.Spread;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // scopes are open for their effect
class BroadcastingTest {
  private static Shape s(long... dims) {
    return Shape.of(dims);
  }

  private static void spreads(@Nullable Spread expected, Shape from, Shape to) {
    assertEquals(expected, Broadcasting.spread(from, to), from + " over " + to);
  }

  @Test
  void whatTheBackendSpreadsItself() {
    spreads(Spread.FULL, s(3, 4), s(3, 4));
    spreads(Spread.FULL, s(4), s(1, 4));
    spreads(Spread.FULL, s(), s(1, 1));
    spreads(Spread.FULL, s(0, 3), s(0, 3));
    spreads(Spread.SCALAR, s(), s(3, 4));
    spreads(Spread.SCALAR, s(1, 1), s(3, 4));
    spreads(Spread.SCALAR, s(1), s(0, 3));
    spreads(Spread.ROW, s(4), s(3, 4));
    spreads(Spread.ROW, s(1, 4), s(3, 4));
    spreads(Spread.ROW, s(3, 4), s(2, 3, 4));
    spreads(Spread.ROW, s(1, 1, 3, 4), s(5, 2, 3, 4));
    spreads(Spread.ROW, s(1, 1, 4), s(2, 1, 4));
    spreads(Spread.COLUMN, s(3, 1), s(3, 4));
    spreads(Spread.COLUMN, s(2, 3, 1), s(2, 3, 4));
    spreads(Spread.COLUMN, s(2, 1, 1), s(2, 3, 4));
    spreads(Spread.COLUMN, s(3, 1), s(1, 3, 4));
  }

  @Test
  void whatMustBeExpandedFirst() {
    spreads(null, s(3, 1), s(2, 3, 4));
    spreads(null, s(2, 1, 4), s(2, 3, 4));
    spreads(null, s(1, 3, 1), s(2, 3, 4));
    spreads(null, s(2, 1, 4, 1), s(2, 3, 4, 5));
  }

  /** Every pair of shapes here, against the definition by indices. */
  @Test
  void expandAndSumToAreEachOthersTranspose() {
    Shape[][] pairs = {
      {s(3, 4), s(3, 4)},
      {s(), s(3, 4)},
      {s(4), s(3, 4)},
      {s(3, 1), s(3, 4)},
      {s(3, 1), s(2, 3, 4)},
      {s(2, 1, 4), s(2, 3, 4)},
      {s(1, 3, 1), s(2, 3, 4)},
      {s(2, 1, 4, 1), s(2, 3, 4, 5)},
      {s(1, 1, 1), s(2, 3, 4)},
      {s(3), s(0, 3)},
      {s(2, 1, 3), s(2, 0, 3)},
      {s(3, 1), s(3, 0)},
      {s(1, 5, 1, 7), s(3, 5, 2, 7)}
    };
    try (Device device = Device.over(new ReferenceBackend("reference"));
        Scope scope = Scope.open()) {
      for (Shape[] pair : pairs) {
        check(device, pair[0], pair[1]);
      }
    }
  }

  private static void check(Device device, Shape small, Shape large) {
    String what = small + " and " + large;
    Tensor x = device.uniform(DType.F64, -1, 1, small.toArray());
    Tensor y = device.uniform(DType.F64, -1, 1, large.toArray());
    double[] expanded = new double[(int) large.numel()];
    double[] summed = new double[(int) small.numel()];
    int[] from = indices(small, large);
    for (int i = 0; i < expanded.length; i++) {
      expanded[i] = x.toDoubleArray()[from[i]];
      summed[from[i]] += y.toDoubleArray()[i];
    }
    Tensor wide = device.full(DType.F64, Double.NaN, large.toArray());
    Broadcasting.expand(device, x.storage(), small, large, wide.storage());
    assertArrayEquals(expanded, wide.toDoubleArray(), what);

    Tensor narrow = device.full(DType.F64, Double.NaN, small.toArray());
    Broadcasting.sumTo(device, y.storage(), large, small, narrow.storage(), false);
    double rounding = 1e-14; // sums of at most 60 values below 1
    assertArrayEquals(summed, narrow.toDoubleArray(), rounding, what);
    Broadcasting.sumTo(device, y.storage(), large, small, narrow.storage(), true);
    for (int i = 0; i < summed.length; i++) {
      summed[i] *= 2;
    }
    assertArrayEquals(summed, narrow.toDoubleArray(), 2 * rounding, what);
  }

  /** For each element of the large shape the element of the small one that stands for it. */
  private static int[] indices(Shape small, Shape large) {
    int[] from = new int[(int) large.numel()];
    long[] strides = small.strides();
    int skip = large.rank() - small.rank();
    for (int i = 0; i < from.length; i++) {
      long rest = i;
      for (int d = large.rank() - 1; d >= 0; d--) {
        long at = rest % large.dim(d);
        rest /= large.dim(d);
        if (d >= skip && small.dim(d - skip) != 1) {
          from[i] += (int) (at * strides[d - skip]);
        }
      }
    }
    return from;
  }

  @Test
  void operandsThatMustBeExpandedLeaveNoTemporary() {
    ReferenceBackend backend = new ReferenceBackend("reference");
    try (Device device = Device.over(backend)) {
      try (Scope scope = Scope.open()) {
        Tensor x = device.ones(2, 3, 4).requiresGrad(true);
        Tensor y = device.ones(3, 1).requiresGrad(true);
        x.mul(y).div(y).sub(y).pow(y).sum().backward();
        assertEquals((24 * 6 + 3 * 2 + 1) * 4, device.bytesInUse());
      }
      assertEquals(0, device.bytesInUse());
    }
    assertEquals(0, backend.live());
  }
}
