package dev.gradus.tensor;

import dev.gradus.spi.Axis;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.types.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One recorded operation: what it was computed from, and how its gradient flows back. A subclass
 * stands beside its forward operation and implements {@link #backward}.
 */
abstract class Function {
  /** In a mask of saved values: the result. Bit i stands for the i-th input. */
  static final int OUTPUT = 1 << 30;

  /** In a mask of saved values: none. */
  static final int NOTHING = 0;

  private static final Tensor[] NO_INPUTS = {};

  private final String name;
  private final int saved;
  private final int[] versions;

  /** What it was computed from; let go after the walk back. */
  private Tensor[] inputs;

  /**
   * What the inputs were computed from when this was recorded: the graph is this, and stays whole
   * when a tensor in it is kept, which detaches it, or released.
   */
  private final @Nullable Function[] origins;

  /**
   * What the leaves among the inputs that wanted a gradient held when this was recorded: a leaf may
   * since hold something of another type or on another device.
   */
  private final @Nullable Contents[] leaves;

  private @Nullable Tensor output;
  private int outputVersion;

  private @Nullable Storage grad;
  private boolean gradFilled;
  private boolean used;

  /** Of the walk back: how many inputs it looked at, and one more once it was at the last. */
  private int visits;

  /**
   * Records an operation.
   *
   * @param name the operation, for messages and prints: {@code Mul}
   * @param saved which inputs' and output's values {@link #backward} reads: a mask of {@code 1 <<
   *     i} and {@link #OUTPUT}. Those must not change in place before it runs
   */
  Function(String name, int saved, Tensor... inputs) {
    this.name = name;
    this.saved = saved;
    this.inputs = inputs;
    this.versions = new int[inputs.length];
    this.origins = new @Nullable Function[inputs.length];
    this.leaves = new @Nullable Contents[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      versions[i] = inputs[i].version();
      origins[i] = inputs[i].origin();
      leaves[i] = origins[i] == null && inputs[i].requiresGrad() ? inputs[i].contents() : null;
    }
  }

  /** A kernel that writes a gradient. */
  interface Kernel {
    void into(Storage out);
  }

  /** A kernel that writes a gradient or adds to it. */
  interface AccumulatingKernel {
    void into(Storage out, boolean accumulate);
  }

  /**
   * Passes the gradient on: for each input that {@link #needs} one, computes its gradient from that
   * of the output, by {@link #give} or {@link #accumulate}.
   */
  abstract void backward(Storage grad);

  /** Frees what only {@link #backward} needed. Called once, after it. */
  void releaseSaved() {}

  /** Records this function as the origin of a result, if one of its inputs requires a gradient. */
  static Tensor record(Tensor out, Function function) {
    function.output = out;
    function.outputVersion = out.version();
    out.setOrigin(function);
    out.device().profiler().recorded(function.name);
    return out;
  }

  /** Whether what is computed from these is recorded. */
  static boolean wanted(Tensor a) {
    return a.requiresGrad() && NoGrad.isRecording();
  }

  static boolean wanted(Tensor a, Tensor b) {
    return (a.requiresGrad() || b.requiresGrad()) && NoGrad.isRecording();
  }

  final String name() {
    return name;
  }

  final int inputCount() {
    return inputs.length;
  }

  final Tensor input(int i) {
    return inputs[i];
  }

  final Tensor output() {
    Tensor out = output;
    if (out == null) {
      throw new IllegalStateException(name + ": has no output yet");
    }
    return out;
  }

  /** The function that input i was computed by; null for a leaf. */
  final @Nullable Function origin(int i) {
    return origins[i];
  }

  /** Whether input i takes a gradient: it did when this was recorded, and was not frozen since. */
  final boolean needs(int i) {
    return origins[i] != null || (leaves[i] != null && inputs[i].requiresGrad());
  }

  private Storage gradOf(int i) {
    Function origin = origins[i];
    return origin != null ? origin.gradStorage() : inputs[i].gradStorage();
  }

  private boolean hasGradOf(int i) {
    Function origin = origins[i];
    return origin != null ? origin.gradFilled() : inputs[i].hasGrad();
  }

  private void wroteGradOf(int i) {
    Function origin = origins[i];
    if (origin != null) {
      origin.gradWritten();
    } else {
      inputs[i].gradWritten();
    }
  }

  final Storage saved(int i) {
    return inputs[i].storage();
  }

  final Storage savedOutput() {
    return output().storage();
  }

  final Backend backend() {
    return output().device().backend();
  }

  final Memory memory() {
    return output().device().memory();
  }

  /** Gives input i the gradient that a kernel writes; adds it where the input has one already. */
  final void give(int i, Kernel kernel) {
    if (!needs(i)) {
      return;
    }
    if (hasGradOf(i)) {
      Tensor x = inputs[i];
      Memory memory = x.device().memory();
      Storage t = memory.allocate(x.dtype(), x.shape().numel());
      kernel.into(t);
      Kernels.add(x.device().backend(), gradOf(i), t, gradOf(i));
      memory.recycle(t);
    } else {
      kernel.into(gradOf(i));
    }
    wroteGradOf(i);
  }

  /** Gives input i the gradient that a kernel writes or adds. */
  final void accumulate(int i, AccumulatingKernel kernel) {
    if (needs(i)) {
      kernel.into(gradOf(i), hasGradOf(i));
      wroteGradOf(i);
    }
  }

  /**
   * Gives input i, of which rows were looked up, their gradient: a leaf takes it as rows.
   *
   * @param axis the input's sizes
   * @param skip an id whose rows take none, or -1
   */
  final void giveRows(int i, Axis axis, Storage ids, long skip, Storage rows) {
    boolean table = axis.outer() == 1 && axis.length() == inputs[i].size(0);
    boolean leaf = needs(i) && origins[i] == null;
    if (!(leaf && table && inputs[i].gradient().addRows(axis, ids, skip, rows))) {
      accumulate(i, (out, add) -> backend().scatterAdd(rows, axis, ids, skip, out, add));
    }
  }

  /**
   * Gives input i a gradient of the output's shape, summed over the dimensions in which i was
   * broadcast.
   */
  final void giveBroadcast(int i, Kernel kernel) {
    Tensor x = inputs[i];
    Shape full = output().shape();
    if (x.shape().numel() == full.numel()) {
      give(i, kernel);
    } else if (needs(i)) {
      Storage t = memory().allocate(x.dtype(), full.numel());
      kernel.into(t);
      giveSum(i, t);
      memory().recycle(t);
    }
  }

  /**
   * Gives input i the sum of a gradient of the output's shape over the dimensions in which i was
   * broadcast.
   */
  final void giveSum(int i, Storage full) {
    Tensor x = inputs[i];
    accumulate(
        i,
        (out, accumulate) ->
            Broadcasting.sumTo(
                output().device(), full, output().shape(), x.shape(), out, accumulate));
  }

  /**
   * Gives input i a gradient that is the output's own, summed where i was broadcast: the storage
   * itself where the input can take it. The last thing that a backward does with its gradient.
   */
  final void handOn(int i, Storage own) {
    Function origin = origins[i];
    boolean same = inputs[i].shape().numel() == output().shape().numel();
    if (origin != null && same && origin.grad == null) {
      origin.grad = own;
      origin.gradFilled = true;
      grad = null;
    } else {
      giveSum(i, own);
    }
  }

  // ---- the walk back, for Backward only

  /** Refuses to run back over values that are gone, changed, or used up. */
  final void requireReady() {
    if (used) {
      throw new IllegalStateException(
          "backward: the graph through '"
              + name
              + "' was already used by an earlier backward and its values are released; run the"
              + " forward pass again");
    }
    for (int i = 0; i < inputs.length; i++) {
      requireSameLeaf(i);
      if ((saved & 1 << i) != 0) {
        requireUnchanged(name, inputs[i], versions[i]);
      }
    }
    if ((saved & OUTPUT) != 0) {
      requireUnchanged(name, output(), outputVersion);
    }
    requireSavedUnchanged();
  }

  /** Refuses a leaf that was moved, or became one of another type or shape, since the forward. */
  private void requireSameLeaf(int i) {
    Contents then = leaves[i];
    Contents now = inputs[i].contents();
    if (then != null && then != now && !now.isLike(then) && needs(i)) {
      throw new IllegalStateException(
          "backward: '"
              + name
              + "' was computed from a tensor "
              + then.kind()
              + " that is "
              + now.kind()
              + " now; move or convert a module before the forward pass, or run it again");
    }
  }

  /** Refuses, as {@link #requireUnchanged} does, for what a subclass saved itself. */
  void requireSavedUnchanged() {}

  static void requireUnchanged(String who, Tensor t, int version) {
    if (t.version() != version) {
      throw new IllegalStateException(
          "backward: '"
              + who
              + "' needs a tensor "
              + t.shape()
              + " that was changed in place after it was used; change it after backward, or use a"
              + " copy()");
    }
  }

  /** Whether the walk back has come to it. */
  final boolean visited() {
    return visits > 0;
  }

  /** The input that the walk back looks at next; their number when it has looked at all. */
  final int visitNext() {
    return visits++;
  }

  final void forgetVisit() {
    visits = 0;
  }

  final boolean gradFilled() {
    return gradFilled;
  }

  final void gradWritten() {
    gradFilled = true;
  }

  /** The gradient of the output, while it is collected. */
  final Storage gradStorage() {
    Storage g = grad;
    if (g == null) {
      Tensor out = output();
      g = memory().allocate(out.dtype(), out.shape().numel());
      grad = g;
    }
    return g;
  }

  /** Passes the collected gradient on and frees it, with what only this pass needed. */
  final void run() {
    Storage g = grad;
    if (g != null && gradFilled) {
      Tensor out = output();
      if (out.retainsGrad()) {
        out.gradient().retain(g);
      }
      backward(g);
    }
    dropGrad();
    used = true;
    releaseSaved();
    inputs = NO_INPUTS;
    Arrays.fill(origins, null);
    Arrays.fill(leaves, null);
  }

  final void dropGrad() {
    Storage g = grad;
    if (g != null) {
      memory().recycle(g);
    }
    grad = null;
    gradFilled = false;
  }
}
