package dev.gradus.optim;

import dev.gradus.spi.Backend;
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
   * @param grad the gradient, read only
   * @param buffers the buffers that the rule asked for, by name
   */
  record Slot(Storage param, Storage grad, Map<String, Storage> buffers) {
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
