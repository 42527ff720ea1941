package dev.gradus.optim;

import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What L-BFGS remembers from iteration to iteration: the last gradient and move, and pairs of
 * differences of gradients and moves, which stand for the inverse of the Hessian. No vector is
 * written after it came here.
 */
final class CurvatureMemory {
  /**
   * What {@code y·s} has to exceed: a smaller curvature is noise, and a negative one no minimum.
   */
  private static final double LEAST_CURVATURE = 1e-10;

  private static final String GRADIENT = "prev_flat_grad";
  private static final String MOVE = "prev_stp";
  private static final String DIFFERENCES = "old_dirs.";
  private static final String MOVES = "old_stps.";

  private final List<Pair> pairs = new ArrayList<>();
  private double scale = 1;
  private @Nullable Tensor gradient;
  private @Nullable Tensor move;

  /** A difference of gradients, the move between them, and {@code rho = 1 / y·s}. */
  private record Pair(Tensor y, Tensor s, double rho) {}

  /** What there is in the parameters' buffers, in tensors of its own. */
  static CurvatureMemory joined(ParameterSpace space) {
    CurvatureMemory memory = new CurvatureMemory();
    memory.gradient = space.joined(GRADIENT);
    memory.move = space.joined(MOVE);
    for (int i = 0; ; i++) {
      Tensor y = space.joined(DIFFERENCES + i);
      Tensor s = space.joined(MOVES + i);
      if (y == null || s == null) {
        return memory.owned();
      }
      double ys = space.dot(y, s);
      if (ys > LEAST_CURVATURE) {
        memory.add(space, y, s, ys);
      }
    }
  }

  private void add(ParameterSpace space, Tensor y, Tensor s, double ys) {
    pairs.add(new Pair(y, s, 1 / ys));
    scale = ys / space.dot(y, y);
  }

  /** The same, to be changed in its place. */
  CurvatureMemory copy() {
    CurvatureMemory copy = new CurvatureMemory();
    copy.pairs.addAll(pairs);
    copy.scale = scale;
    copy.gradient = gradient;
    copy.move = move;
    return copy;
  }

  /** Whether no move was made yet. */
  boolean isEmpty() {
    return gradient == null;
  }

  /** Learns from the gradient that the last move led to, which stays in the scope. */
  void learn(ParameterSpace space, Tensor g, int historySize, Scope scope) {
    Tensor before = gradient;
    Tensor s = move;
    if (before == null || s == null) {
      return;
    }
    Tensor y = g.sub(before);
    double ys = space.dot(y, s);
    if (ys > LEAST_CURVATURE) {
      while (pairs.size() >= historySize) {
        pairs.remove(0);
      }
      add(space, scope.keep(y), s, ys);
    }
  }

  /** {@code -H g}, by the two-loop recursion. */
  Tensor direction(ParameterSpace space, Tensor g) {
    Tensor q = g.neg();
    double[] alpha = new double[pairs.size()];
    for (int i = pairs.size() - 1; i >= 0; i--) {
      Pair pair = pairs.get(i);
      alpha[i] = space.dot(pair.s, q) * pair.rho;
      space.addScaled(q, -alpha[i], pair.y);
    }
    Tensor d = q.mul(scale);
    for (int i = 0; i < pairs.size(); i++) {
      Pair pair = pairs.get(i);
      double beta = space.dot(pair.y, d) * pair.rho;
      space.addScaled(d, alpha[i] - beta, pair.s);
    }
    return d;
  }

  /** Remembers a move and the gradient where it began. */
  void moved(Tensor from, Tensor by) {
    gradient = from;
    move = by;
  }

  /** The same in tensors that no scope ends. */
  CurvatureMemory owned() {
    CurvatureMemory own = new CurvatureMemory();
    for (Pair p : pairs) {
      own.pairs.add(new Pair(owned(p.y), owned(p.s), p.rho));
    }
    own.scale = scale;
    own.gradient = gradient == null ? null : owned(gradient);
    own.move = move == null ? null : owned(move);
    return own;
  }

  private static StateTensor owned(Tensor t) {
    return t instanceof StateTensor own ? own : StateTensor.copyOf(t);
  }

  /** Gives back what another does not go on with. */
  void closeAllBut(CurvatureMemory next) {
    Set<Tensor> kept = Collections.newSetFromMap(new IdentityHashMap<>());
    kept.addAll(next.vectors());
    for (Tensor t : vectors()) {
      if (!kept.contains(t)) {
        t.close();
      }
    }
  }

  private List<Tensor> vectors() {
    List<Tensor> all = new ArrayList<>();
    for (Pair p : pairs) {
      all.add(p.y);
      all.add(p.s);
    }
    if (gradient != null) {
      all.add(gradient);
    }
    if (move != null) {
      all.add(move);
    }
    return all;
  }

  /** Whether its vectors are those of the parameters' device and type. */
  boolean suits(ParameterSpace space) {
    Tensor g = gradient;
    return g == null || space.holds(g);
  }

  /** Lays everything down in the parameters' buffers, each its part of the vectors. */
  @SuppressWarnings("try") // the scope is open for its effect
  void layDown(List<Member> members) {
    long at = 0;
    for (Member m : members) {
      try (Scope scope = Scope.open()) {
        put(m, GRADIENT, gradient, at);
        put(m, MOVE, move, at);
        for (int i = 0; i < pairs.size(); i++) {
          put(m, DIFFERENCES + i, pairs.get(i).y, at);
          put(m, MOVES + i, pairs.get(i).s, at);
        }
      }
      at += m.parameter.numel();
    }
  }

  private static void put(Member m, String name, @Nullable Tensor vector, long at) {
    if (vector != null) {
      Tensor part =
          vector.narrow(0, at, m.parameter.numel()).reshape(m.parameter.shape().toArray());
      m.buffers.put(name, StateTensor.copyOf(part));
    }
  }
}
