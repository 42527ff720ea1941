package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Losses;
import dev.gradus.nn.Module;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.TensorAssert;
import dev.gradus.types.DType;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // scopes are open for their effect
class AccumulationTest {
  /** Cut so that no two parts are equal. */
  private static final int[] ENDS = {0, 7, 8, 13};

  private static final long[] IDS = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9};

  private Device device;
  private Model model;
  private SGD sgd;
  private Accumulation batch;

  private static final class Model extends Module {
    final Embedding emb;
    final Linear out;

    Model(Device device) {
      emb = register("emb", new Embedding(device, 10, 3));
      out = register("out", new Linear(device, 3, 2));
      to(DType.F64);
    }

    @Override
    public Tensor forward(Tensor ids) {
      return out.forward(emb.forward(ids).tanh());
    }

    /** The mean loss of the examples from one place to before another. */
    Tensor loss(Device device, int from, int to) {
      long[] ids = Arrays.copyOfRange(IDS, from, to);
      long[] targets = Arrays.stream(ids).map(id -> id % 2).toArray();
      return Losses.crossEntropy(forward(device.tensor(ids)), device.tensor(targets));
    }
  }

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    device.manualSeed(1);
    model = new Model(device);
    sgd = SGD.of(model.namedParameters(), o -> o.withLr(0.5));
    batch = Accumulation.of(sgd);
  }

  @AfterEach
  void close() {
    device.close();
  }

  private double[] gradients() {
    return model.parameters().stream()
        .flatMapToDouble(p -> Arrays.stream(Fixture.values(p.grad())))
        .toArray();
  }

  private void accumulate() {
    for (int k = 1; k < ENDS.length; k++) {
      try (Scope scope = Scope.open()) {
        batch.backward(model.loss(device, ENDS[k - 1], ENDS[k]), ENDS[k] - ENDS[k - 1]);
      }
    }
  }

  private double[] whole() {
    sgd.zeroGrad();
    model.loss(device, 0, IDS.length).backward();
    return gradients();
  }

  /** Sums in another order: a few roundings, relative to terms of about 0.1. */
  private static void close(double[] expected, double[] actual) {
    TensorAssert.assertClose(expected, actual, 16 * 0x1p-53, 0x1p-53);
  }

  @Test
  void unequalPartsGiveTheGradientsOfTheWholeBatch() {
    double[] whole = whole();
    sgd.zeroGrad();
    accumulate();
    assertEquals(IDS.length, batch.average());
    assertNotNull(model.emb.weight().gradRows());
    close(whole, gradients());
  }

  @Test
  void partsWeightedByHandDoTheSame() {
    double[] whole = whole();
    sgd.zeroGrad();
    for (int k = 1; k < ENDS.length; k++) {
      double part = (double) (ENDS[k] - ENDS[k - 1]) / IDS.length;
      model.loss(device, ENDS[k - 1], ENDS[k]).mul(part).backward();
    }
    close(whole, gradients());
  }

  @Test
  void zeroGradBeginsAnew() {
    double[] whole = whole();
    sgd.zeroGrad();
    batch.backward(model.loss(device, 0, 3), 3); // given up
    sgd.zeroGrad();
    accumulate();
    assertEquals(IDS.length, batch.average());
    close(whole, gradients());
  }

  @Test
  void gradientsOfAnotherStepAreRefused() {
    double[] before = whole();
    assertEquals(
        "Accumulation.backward: parameter 'emb.weight' has a gradient before the first part; call"
            + " zeroGrad() after each step",
        Fixture.refused(
            IllegalStateException.class, () -> batch.backward(model.loss(device, 0, 1), 1)));
    assertArrayEquals(before, gradients());
  }

  @Test
  void anAverageOfNothingIsRefused() {
    String text = "Accumulation.average: there was no part; call backward(loss, count) for each";
    assertEquals(text, Fixture.refused(IllegalStateException.class, batch::average));
    batch.backward(model.loss(device, 0, 3), 3);
    batch.average();
    assertEquals(text, Fixture.refused(IllegalStateException.class, batch::average));
  }

  @Test
  void countsThatAreNoneAreRefused() {
    Tensor loss = model.loss(device, 0, 1);
    for (double count : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertEquals(
          "Accumulation.backward: the count is " + count + "; it must be > 0 and finite",
          Fixture.refused(IllegalArgumentException.class, () -> batch.backward(loss, count)));
    }
  }
}
