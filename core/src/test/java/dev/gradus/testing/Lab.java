package dev.gradus.testing;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Assertions;

/** The backend under test beside the reference: every call is made on both and compared. */
final class Lab implements AutoCloseable {
  /** Two storages of equal content. */
  record Twin(Storage tested, Storage reference) {
    DType dtype() {
      return tested.dtype();
    }

    int numel() {
      return (int) tested.numel();
    }
  }

  /** A call that finds its storages by their twins. */
  @FunctionalInterface
  interface Call {
    void on(Backend backend, Function<Twin, Storage> at);
  }

  private final Backend tested;
  private final ReferenceBackend reference = new ReferenceBackend("ref");
  private final List<Twin> twins = new ArrayList<>();

  Lab(Backend tested) {
    this.tested = tested;
  }

  Backend tested() {
    return tested;
  }

  ReferenceBackend reference() {
    return reference;
  }

  Twin twin(DType dtype, double[] values) {
    return keep(new Twin(Host.store(tested, dtype, values), Host.store(reference, dtype, values)));
  }

  Twin twin(long[] values) {
    return keep(new Twin(Host.store(tested, values), Host.store(reference, values)));
  }

  /** A result to be filled; its content is undefined on the one and poison on the other. */
  Twin blank(DType dtype, long numel) {
    return keep(new Twin(tested.allocate(dtype, numel), reference.allocate(dtype, numel)));
  }

  private Twin keep(Twin twin) {
    twins.add(twin);
    return twin;
  }

  void run(Call call) {
    call.on(tested, Twin::tested);
    call.on(reference, Twin::reference);
  }

  double[] actual(Twin twin) {
    return Host.read(tested, twin.tested());
  }

  double[] expected(Twin twin) {
    return Host.read(reference, twin.reference());
  }

  void check(String what, Twin out, Tolerance tolerance) {
    if (out.dtype() == DType.I64) {
      long[] expected = Host.readLongs(reference, out.reference());
      long[] actual = Host.readLongs(tested, out.tested());
      Assertions.assertArrayEquals(expected, actual, what);
    } else {
      compare(what, expected(out), actual(out), tolerance);
    }
  }

  /** Compares elements; the message has the index and both values. */
  static void compare(String what, double[] expected, double[] actual, Tolerance tolerance) {
    Assertions.assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      double allowed = tolerance.allowed(i, expected[i]);
      boolean bits = Double.doubleToLongBits(expected[i]) == Double.doubleToLongBits(actual[i]);
      if (!bits
          && (allowed < 0 || !TensorAssert.close(expected[i], actual[i], allowed, 0))
          && allowed != Double.POSITIVE_INFINITY) {
        Assertions.fail(
            what
                + " at ["
                + i
                + "] of "
                + expected.length
                + ": expected "
                + expected[i]
                + " but got "
                + actual[i]
                + "; allowed "
                + (allowed < 0 ? "only equal bits" : allowed));
      }
    }
  }

  /** Frees every twin so far. */
  void clear() {
    for (Twin t : twins) {
      tested.free(t.tested());
      reference.free(t.reference());
    }
    twins.clear();
  }

  @Override
  public void close() {
    clear();
    Assertions.assertEquals(0, reference.live(), "storages that an operation did not free");
    reference.close();
    tested.close();
  }
}
