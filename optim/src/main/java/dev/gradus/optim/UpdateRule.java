package dev.gradus.optim;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The mathematics of an optimizer: what it keeps for each parameter and how a step changes it.
 * Groups, names, counts and memory are the business of {@link Optimizer}.
 *
 * @param <O> the options of a group
 * @param <H> what the parameters of one group share in one step, ready for the backend
 */
public interface UpdateRule<O, H> {
  /**
   * Refuses a parameter that this rule cannot update, when it is given to an optimizer.
   *
   * @throws IllegalArgumentException naming it
   */
  default void check(String name, Shape shape) {}

  /**
   * The names of the buffers that a parameter needs, in PyTorch's words ({@code exp_avg}). It is
   * asked in every step: give the same list for the same needs. A buffer is made when it is first
   * needed, has the parameter's type, and starts as {@link #start} says.
   *
   * @param options the options in force
   * @param shape the parameter's
   */
  List<String> buffers(O options, Shape shape);

  /**
   * What a buffer is made as: zeros of the parameter's shape, unless a rule says otherwise.
   *
   * @param buffer its name
   * @param options the options in force
   * @param shape the parameter's
   */
  default Start start(String buffer, O options, Shape shape) {
    return new Start(shape, 0);
  }

  /**
   * A buffer before its first step.
   *
   * @param shape its sizes
   * @param value that of every element
   */
  record Start(Shape shape, double value) {}

  /**
   * The numbers that are kept for each parameter beside its buffers, on the host, by PyTorch's
   * names ({@code mu_product}), as they are before its first step.
   */
  default Map<String, Double> scalars(O options) {
    return Map.of();
  }

  /** Those numbers after a step, under the same names. */
  default Map<String, Double> scalarsAfter(O options, Progress progress) {
    return progress.scalars();
  }

  /**
   * How far a parameter came.
   *
   * @param step its own count of steps, the one that is being made included: 1, 2, …
   * @param fresh whether a buffer of the parameter was made for this step
   * @param scalars its numbers before this step
   */
  record Progress(long step, boolean fresh, Map<String, Double> scalars) {
    /** One of the numbers that the rule keeps. */
    public double scalar(String name) {
      Double value = scalars.get(name);
      if (value == null) {
        throw new IllegalArgumentException(
            "update rule: there is no scalar '" + name + "'; it keeps " + scalars.keySet());
      }
      return value;
    }
  }

  /** In which form a rule takes a gradient that came from lookups of a table's rows alone. */
  enum Form {
    /** With a value for each element, as every other gradient has. */
    DENSE,
    /** As rows: the rule moves no row without a gradient. */
    ROWS,
    /** As rows; a gradient that has another origin is refused. */
    ONLY_ROWS
  }

  /** The form in which gradients are taken under these options. */
  default Form form(O options) {
    return Form.DENSE;
  }

  /**
   * What the backend is told for parameters with these options that came this far.
   *
   * @param options the options in force
   */
  H hyper(O options, Progress progress);

  /**
   * The formula of a step where rules have one that options or progress change; null where they
   * change only its numbers. A captured step is recorded anew when it is not equal any more.
   *
   * @param hyper what the backend is told
   */
  default @Nullable Object formula(H hyper) {
    return null;
  }

  /**
   * Prepares steps over parameters of one device and type.
   *
   * @param backend the device
   * @param slots the parameters, in the order of groups
   */
  Update<H> prepare(Backend backend, List<Slot> slots);

  /**
   * One parameter of a prepared update.
   *
   * @param param the values, to be updated in place
   * @param shape the parameter's sizes
   * @param gradient the gradient, read only, in the form that the rule takes
   * @param buffers the buffers that the rule asked for, by name, in the order of {@link #buffers}
   */
  record Slot(Storage param, Shape shape, Gradient gradient, Map<String, Storage> buffers) {
    /** The gradient of a rule that takes it dense. */
    public Storage grad() {
      if (gradient instanceof Gradient.Dense dense) {
        return dense.values();
      }
      throw new IllegalStateException(
          "update rule: the gradient is rows of a table, as the rule's form() asked; take them with"
              + " gradient()");
    }

    /** A buffer that the rule always asks for. */
    public Storage buffer(String name) {
      Storage buffer = buffers.get(name);
      if (buffer == null) {
        throw new IllegalArgumentException(
            "update rule: there is no buffer '" + name + "'; it asked for " + buffers.keySet());
      }
      return buffer;
    }

    /** A buffer that depends on the options; null where they do not need it. */
    public @Nullable Storage optional(String name) {
      return buffers.get(name);
    }
  }

  /**
   * A prepared step over all slots of a device and type.
   *
   * @param <H> what parameters of one group share in one step
   */
  interface Update<H> extends AutoCloseable {
    /**
     * Updates the slots that take part.
     *
     * @param hyperOfSlot for each slot an index into {@code hypers}, or -1 where it takes no part
     * @param hypers the options in force
     */
    void step(int[] hyperOfSlot, List<H> hypers);

    /**
     * Whether all that changes from step to step is hypers that a plan of the backend takes: then a
     * step may be part of a {@link dev.gradus.tensor.CapturedStep}.
     */
    default boolean isLive() {
      return false;
    }

    /** Frees what was prepared, not the slots' storages. */
    @Override
    void close();

    /**
     * An update that moves one slot after the other.
     *
     * @param <S> a slot, or what was prepared for one
     * @param <H> what parameters of one group share in one step
     * @param slots all, in their order
     * @param move updates one of them
     * @param close frees what was prepared
     */
    static <S, H> Update<H> each(List<S> slots, BiConsumer<S, H> move, Runnable close) {
      return of(
          false,
          (hyperOfSlot, hypers) -> {
            for (int i = 0; i < hyperOfSlot.length; i++) {
              if (hyperOfSlot[i] >= 0) {
                move.accept(slots.get(i), hypers.get(hyperOfSlot[i]));
              }
            }
          },
          close);
    }

    /** An update that a plan of the backend makes: its step, and what closes it. */
    static <H> Update<H> of(BiConsumer<int[], List<H>> step, Runnable close) {
      return of(true, step, close);
    }

    private static <H> Update<H> of(boolean live, BiConsumer<int[], List<H>> step, Runnable close) {
      return new Update<>() {
        @Override
        public void step(int[] hyperOfSlot, List<H> hypers) {
          step.accept(hyperOfSlot, hypers);
        }

        @Override
        public boolean isLive() {
          return live;
        }

        @Override
        public void close() {
          close.run();
        }
      };
    }
  }
}
