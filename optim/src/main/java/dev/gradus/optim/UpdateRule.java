package dev.gradus.optim;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
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
   * The names of the buffers that a parameter needs under these options, in PyTorch's words ({@code
   * exp_avg}). A buffer has the parameter's shape and type, and starts with zeros when it is first
   * needed.
   */
  List<String> buffers(O options);

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
   * What the backend is told for parameters with these options and this count.
   *
   * @param options the options in force
   * @param step the parameter's own count of steps, this one included: 1, 2, …
   * @param fresh whether a buffer of the parameter was made for this step
   */
  H hyper(O options, long step, boolean fresh);

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
   * @param gradient the gradient, read only, in the form that the rule takes
   * @param buffers the buffers that the rule asked for, by name
   */
  record Slot(Storage param, Gradient gradient, Map<String, Storage> buffers) {
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

    /** Frees what was prepared, not the slots' storages. */
    @Override
    void close();

    /** An update that a plan of the backend makes: its step, and what closes it. */
    static <H> Update<H> of(BiConsumer<int[], List<H>> step, Runnable close) {
      return new Update<>() {
        @Override
        public void step(int[] hyperOfSlot, List<H> hypers) {
          step.accept(hyperOfSlot, hypers);
        }

        @Override
        public void close() {
          close.run();
        }
      };
    }
  }
}
