package dev.gradus.tensor;

import java.util.List;

/**
 * A change, in a recorded step, of whether a leaf has a gradient. A replay writes the same memory,
 * and so leaves the same behind.
 *
 * @param had what the leaf had before
 * @param has what it has since
 * @param first whether it is the first change of this leaf in the step
 */
record GradientChange(Tensor leaf, LeafGradient.Kind had, LeafGradient.Kind has, boolean first)
    implements CapturedStep.Live {

  /** Notes a change, where the calling thread records a step. */
  static void note(Tensor leaf, LeafGradient.Kind had) {
    List<CapturedStep.Live> recording = ThreadState.current().recording;
    if (recording != null) {
      boolean known =
          recording.stream().anyMatch(l -> l instanceof GradientChange c && c.leaf == leaf);
      recording.add(new GradientChange(leaf, had, leaf.gradKind(), !known));
    }
  }

  @Override
  public boolean fits() {
    // What is forgotten first may be anything, and what was made in the body is made there again.
    return !first
        || has == LeafGradient.Kind.NONE
        || leaf.contents().isReleased()
        || leaf.gradKind() == had;
  }

  @Override
  public void renew() {
    leaf.gradient().replayed(has);
  }
}
