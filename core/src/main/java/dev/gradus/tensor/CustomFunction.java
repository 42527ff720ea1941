package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import java.util.ArrayList;
import java.util.List;

/**
 * A user's operation with a backward of its own.
 *
 * <pre>{@code
 * final class Cube extends CustomFunction {
 *   protected Tensor forward(Context context, List<Tensor> inputs) {
 *     Tensor x = inputs.get(0);
 *     context.save(x);
 *     return x.mul(x).mul(x);
 *   }
 *   protected List<Tensor> backward(Context context, Tensor grad) {
 *     Tensor x = context.saved(0);
 *     return List.of(x.mul(x).mul(3).mul(grad));
 *   }
 * }
 * Tensor y = new Cube().apply(x);
 * }</pre>
 *
 * <p>Both methods run without recording. Check the pair with {@link GradCheck}.
 */
public abstract class CustomFunction {

  /** For subclasses. */
  protected CustomFunction() {}

  /**
   * Computes the result. It must be a tensor of its own: not an input, nor a view of one.
   *
   * @param context takes what backward will need
   * @param inputs what {@link #apply} was given
   */
  protected abstract Tensor forward(Context context, List<Tensor> inputs);

  /**
   * Computes the gradient for each input, in the inputs' order and each of its input's shape.
   *
   * @param context what forward saved
   * @param grad the gradient of the result, of the result's shape
   * @return one tensor for each input; for an input that requires no gradient anything will do
   */
  protected abstract List<Tensor> backward(Context context, Tensor grad);

  /**
   * Computes the result and records how to differentiate it, if it is of a floating-point type:
   * others carry no gradient.
   */
  @SuppressWarnings("try") // the block is open for its effect
  public final Tensor apply(Tensor... inputs) {
    if (inputs.length == 0) {
      throw new IllegalArgumentException(name() + ": apply needs at least one tensor");
    }
    for (Tensor x : inputs) {
      Checks.sameDevice(name(), inputs[0], x);
    }
    Context context = new Context(name());
    Tensor out;
    try (NoGrad off = NoGrad.open()) {
      out = forward(context, List.of(inputs));
    }
    if (out == null) {
      throw new IllegalStateException(
          name() + ": forward returned null; return a tensor of its own");
    }
    for (Tensor x : inputs) {
      if (out == x || out.sharesMemoryWith(x) || out.requiresGrad()) {
        throw new IllegalStateException(
            name()
                + ": forward returned an input, a view of one, or a tensor that requires a"
                + " gradient; return a tensor of its own, such as a copy()");
      }
    }
    boolean wanted = false;
    for (Tensor x : inputs) {
      wanted |= Function.wanted(x);
    }
    return wanted && out.dtype().isFloating()
        ? Function.record(out, new Recorded(this, context, inputs))
        : out;
  }

  private String name() {
    String simple = getClass().getSimpleName();
    return simple.isEmpty() ? "CustomFunction" : simple;
  }

  /** What forward leaves for backward. */
  public static final class Context {
    private final List<Tensor> saved = new ArrayList<>();
    private final List<Integer> versions = new ArrayList<>();

    private final String who;

    private Context(String who) {
      this.who = who;
    }

    /** Keeps tensors for backward, which refuses to run if one is changed in place before it. */
    public void save(Tensor... tensors) {
      for (Tensor t : tensors) {
        saved.add(t);
        versions.add(t.version());
      }
    }

    /** The i-th tensor that was saved, from 0. */
    public Tensor saved(int i) {
      if (i < 0 || i >= saved.size()) {
        throw new IllegalArgumentException(
            who + ": backward asked for saved tensor " + i + " but forward saved " + saved.size());
      }
      return saved.get(i);
    }

    private void clear() {
      saved.clear();
      versions.clear();
    }

    private void requireUnchanged(String who) {
      for (int i = 0; i < saved.size(); i++) {
        Function.requireUnchanged(who, saved.get(i), versions.get(i));
      }
    }
  }

  private static final class Recorded extends Function {
    private final CustomFunction function;
    private final Context context;

    Recorded(CustomFunction function, Context context, Tensor[] inputs) {
      super(function.name(), NOTHING, inputs);
      this.function = function;
      this.context = context;
    }

    @Override
    void requireSavedUnchanged() {
      context.requireUnchanged(name());
    }

    @Override
    void releaseSaved() {
      context.clear();
    }

    @Override
    @SuppressWarnings("try") // the blocks are open for their effect
    void backward(Storage grad) {
      try (NoGrad off = NoGrad.open();
          Scope temporaries = Scope.open()) {
        Tensor g = Tensor.born(output().device(), output().shape(), output().dtype());
        Kernels.copy(backend(), grad, g.storage());
        List<Tensor> grads = function.backward(context, g);
        requireFitting(grads);
        for (int i = 0; i < inputCount(); i++) {
          Tensor part = grads.get(i);
          if (needs(i)) {
            give(i, out -> Kernels.copy(backend(), part.storage(), out));
          }
        }
      }
    }

    private void requireFitting(List<Tensor> grads) {
      if (grads == null) {
        throw new IllegalStateException(
            name() + ": backward returned null; return a list of one gradient for each input");
      }
      if (grads.size() != inputCount()) {
        throw new IllegalStateException(
            name()
                + ": backward returned "
                + grads.size()
                + " gradients for "
                + inputCount()
                + " inputs; return one for each");
      }
      for (int i = 0; i < inputCount(); i++) {
        Tensor part = grads.get(i);
        if (needs(i)) {
          if (part == null) {
            throw new IllegalStateException(
                name()
                    + ": backward returned null for input "
                    + i
                    + ", which requires a gradient; return its gradient, zeros if it has none");
          }
          Checks.sameDevice(name(), input(i), part);
          boolean fits = part.shape().equals(input(i).shape()) && part.dtype() == input(i).dtype();
          if (!fits) {
            throw new IllegalStateException(
                name()
                    + ": backward returned a gradient "
                    + part.shape()
                    + " of "
                    + part.dtype().label()
                    + " for input "
                    + i
                    + ", which is "
                    + input(i).shape()
                    + " of "
                    + input(i).dtype().label()
                    + "; they must agree");
          }
        }
      }
    }
  }
}
