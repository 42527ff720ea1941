package dev.gradus.tensor;

import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The walk back from a result to the leaves: first every recorded function is checked, then each
 * passes its gradient on, those after it in the graph before it.
 */
final class Backward {
  private Backward() {}

  /** Adds to every leaf that root was computed from the gradient of root, weighted by seed. */
  @SuppressWarnings("try") // the span is open for its effect
  static void run(Tensor root, @Nullable Tensor seed) {
    Profiler profiler = root.device().profiler();
    try (Profiler.Span span = profiler.enter(Profile.Phase.BACKWARD, "Seed")) {
      walk(root, seed, profiler);
    }
  }

  private static void walk(Tensor root, @Nullable Tensor seed, Profiler profiler) {
    Function last = root.origin();
    if (last == null) {
      seedInto(root, seed);
      return;
    }
    List<Function> order = order(last);
    try {
      for (int i = 0; i < order.size(); i++) {
        order.get(i).forgetVisit();
      }
      for (int i = 0; i < order.size(); i++) {
        order.get(i).requireReady();
      }
      seedInto(root, seed);
      for (int i = order.size() - 1; i >= 0; i--) {
        Function f = order.get(i);
        profiler.next(f.name());
        f.run();
      }
    } finally {
      for (int i = 0; i < order.size(); i++) {
        order.get(i).dropGrad();
      }
    }
  }

  private static void seedInto(Tensor root, @Nullable Tensor seed) {
    Storage out = root.gradStorage();
    if (seed == null) {
      if (root.gradFilled()) {
        root.device().backend().unary(UnaryOp.ADD_SCALAR, out, out, 1, 0);
      } else {
        root.device().backend().fill(out, 1);
      }
    } else if (root.gradFilled()) {
      Kernels.add(root.device().backend(), out, seed.storage(), out);
    } else {
      Kernels.copy(root.device().backend(), seed.storage(), out);
    }
    root.gradWritten();
  }

  /**
   * The functions that lead to the last one, each after those it was computed from. Iterative:
   * graphs are deep.
   */
  private static List<Function> order(Function last) {
    List<Function> order = new ArrayList<>();
    ArrayList<Function> path = new ArrayList<>();
    path.add(last);
    while (!path.isEmpty()) {
      int top = path.size() - 1;
      Function f = path.get(top);
      int i = f.visitNext();
      if (i == f.inputCount()) {
        path.remove(top);
        order.add(f);
        continue;
      }
      Function origin = f.origin(i);
      if (origin != null && !origin.visited()) {
        path.add(origin);
      }
    }
    return order;
  }
}
