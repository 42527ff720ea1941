package dev.gradus.optim;

import dev.gradus.spi.UnaryOp;
import dev.gradus.tensor.Tensor;
import java.util.List;

/**
 * One step from several parts of a batch that does not fit into memory: the gradients of the mean
 * loss over all examples, also where the parts are of unequal size.
 *
 * <pre>{@code
 * Accumulation batch = Accumulation.of(adam);   // once
 * …
 * adam.zeroGrad();
 * for (Part part : parts) {
 *   try (Scope scope = Scope.open()) {
 *     batch.backward(loss(part), part.size());  // the mean loss of its examples, and their number
 *   }
 * }
 * batch.average();
 * adam.step();
 * }</pre>
 *
 * <p>Mean losses that are added and divided by the number of parts give the examples of a smaller
 * part more weight. Here each part counts by its examples (or tokens): {@code sum(n loss) /
 * sum(n)}. Where the sizes are known before, {@code loss.mul(n / total).backward()} does the same
 * without a pass over the gradients.
 */
public final class Accumulation {
  private final Gradients gradients;
  private double total;

  private Accumulation(Gradients gradients) {
    this.gradients = gradients;
  }

  /** Accumulates for the parameters of an optimizer, groups added later included. */
  public static Accumulation of(Optimizer<?> optimizer) {
    return new Accumulation(Gradients.of(optimizer.groups()));
  }

  /**
   * Adds the gradients of a part's mean loss, times its number of examples. After {@code
   * zeroGrad()} it is the first part.
   *
   * @param loss one element, the mean over the part's examples
   * @param count their number, or their weight, greater than 0
   * @throws IllegalArgumentException if the count is not allowed
   * @throws IllegalStateException if this is the first part and there are gradients already, or the
   *     loss has no graph; nothing is changed then
   */
  public void backward(Tensor loss, double count) {
    if (!(count > 0) || Double.isInfinite(count)) {
      throw new IllegalArgumentException(
          "Accumulation.backward: the count is " + count + "; it must be > 0 and finite");
    }
    double before = totalBefore();
    loss.mul(count).backward();
    total = before + count;
  }

  /**
   * What was counted since {@code zeroGrad()}: an accumulation that was given up does not count.
   */
  private double totalBefore() {
    List<Gradients.Part> parts = gradients.collect();
    if (parts.isEmpty()) {
      return 0;
    }
    if (total == 0) {
      throw new IllegalStateException(
          "Accumulation.backward: parameter '"
              + parts.get(0).members.get(0).name
              + "' has a gradient before the first part; call zeroGrad() after each step");
    }
    return total;
  }

  /**
   * Divides the gradients by the number of examples. A new accumulation begins.
   *
   * @return the number of examples
   * @throws IllegalStateException if there was no part
   */
  public double average() {
    if (total == 0) {
      throw new IllegalStateException(
          "Accumulation.average: there was no part; call backward(loss, count) for each");
    }
    double count = total;
    total = 0;
    gradients.collect();
    gradients.apply("Accumulation", UnaryOp.DIV_SCALAR, count, 0);
    return count;
  }
}
