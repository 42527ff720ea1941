package dev.gradus.testing;

import dev.gradus.spi.Axis;
import dev.gradus.spi.ReduceOp;
import dev.gradus.types.DType;

/** What works along the middle of {@code [outer, length, inner]}. */
final class ReferenceAxes {
  /** What no id is. */
  private static final long NO_ID = Long.MIN_VALUE;

  private ReferenceAxes() {}

  private static int at(Axis axis, long o, long j, long i) {
    return (int) ((o * axis.length() + j) * axis.inner() + i);
  }

  static void reduce(
      ReduceOp op, ReferenceStorage x, Axis axis, ReferenceStorage out, boolean accumulate) {
    Rules.supported(x.dtype() != DType.BOOL, op, x.dtype());
    Rules.sameType(op.name(), x, out);
    Rules.require(x != out, op.name(), "out is x");
    Rules.size(op.name(), "x", x, axis.numel());
    Rules.size(op.name(), "out", out, axis.reduced());
    Rules.require(
        op == ReduceOp.SUM || axis.length() > 0 || axis.reduced() == 0, op.name(), "over nothing");
    for (long o = 0; o < axis.outer(); o++) {
      for (long i = 0; i < axis.inner(); i++) {
        int to = (int) (o * axis.inner() + i);
        if (x.dtype() == DType.I64) {
          long r = longResult(op, x, axis, o, i);
          out.longs()[to] = accumulate ? out.longs()[to] + r : r;
        } else {
          double r = result(op, x, axis, o, i);
          out.set(to, accumulate ? out.get(to) + r : r);
        }
      }
    }
  }

  private static double result(ReduceOp op, ReferenceStorage x, Axis axis, long o, long i) {
    double r = op == ReduceOp.SUM ? 0 : x.get(at(axis, o, 0, i));
    for (long j = 0; j < axis.length(); j++) {
      double v = x.get(at(axis, o, j, i));
      r =
          switch (op) {
            case SUM -> r + v;
            case MAX -> Math.max(r, v);
            case MIN -> Math.min(r, v);
          };
    }
    return r;
  }

  private static long longResult(ReduceOp op, ReferenceStorage x, Axis axis, long o, long i) {
    long r = op == ReduceOp.SUM ? 0 : x.longs()[at(axis, o, 0, i)];
    for (long j = 0; j < axis.length(); j++) {
      long v = x.longs()[at(axis, o, j, i)];
      r =
          switch (op) {
            case SUM -> r + v;
            case MAX -> Math.max(r, v);
            case MIN -> Math.min(r, v);
          };
    }
    return r;
  }

  static void argReduce(boolean greatest, ReferenceStorage x, Axis axis, ReferenceStorage out) {
    Rules.supported(x.dtype() != DType.BOOL, "argReduce", x.dtype());
    Rules.require(out.dtype() == DType.I64, "argReduce", "out is " + out.dtype().label());
    Rules.require(x != out, "argReduce", "out is x");
    Rules.size("argReduce", "x", x, axis.numel());
    Rules.size("argReduce", "out", out, axis.reduced());
    Rules.require(axis.length() > 0 || axis.reduced() == 0, "argReduce", "over nothing");
    for (long o = 0; o < axis.outer(); o++) {
      for (long i = 0; i < axis.inner(); i++) {
        long best = 0;
        for (long j = 1; j < axis.length(); j++) {
          if (better(greatest, x, at(axis, o, j, i), at(axis, o, best, i))) {
            best = j;
          }
        }
        out.longs()[(int) (o * axis.inner() + i)] = best;
      }
    }
  }

  private static boolean better(boolean greatest, ReferenceStorage x, int candidate, int best) {
    if (x.dtype() == DType.I64) {
      long c = x.longs()[candidate];
      long b = x.longs()[best];
      return greatest ? c > b : c < b;
    }
    double c = x.get(candidate);
    double b = x.get(best);
    if (Double.isNaN(c)) {
      return !Double.isNaN(b);
    }
    return greatest ? c > b : c < b;
  }

  private static void checkIds(String who, Axis axis, ReferenceStorage ids, long skip) {
    Rules.require(ids.dtype() == DType.I64, who, "ids are " + ids.dtype().label());
    for (long id : ids.longs()) {
      Rules.require(
          id == skip || (id >= 0 && id < axis.length()), who, "id " + id + " of " + axis.length());
    }
  }

  static void gather(ReferenceStorage x, Axis axis, ReferenceStorage ids, ReferenceStorage out) {
    Rules.sameType("gather", x, out);
    Rules.require(x != out && ids != out, "gather", "out is an operand");
    checkIds("gather", axis, ids, NO_ID);
    Axis result = new Axis(axis.outer(), ids.numel(), axis.inner());
    Rules.size("gather", "x", x, axis.numel());
    Rules.size("gather", "out", out, result.numel());
    for (long o = 0; o < axis.outer(); o++) {
      for (int j = 0; j < ids.numel(); j++) {
        for (long i = 0; i < axis.inner(); i++) {
          out.copy(at(result, o, j, i), x, at(axis, o, ids.longs()[j], i));
        }
      }
    }
  }

  static void scatterAdd(
      ReferenceStorage x,
      Axis axis,
      ReferenceStorage ids,
      long skip,
      ReferenceStorage out,
      boolean accumulate) {
    Rules.supported(x.dtype() != DType.BOOL, "scatterAdd", x.dtype());
    Rules.sameType("scatterAdd", x, out);
    Rules.require(x != out && ids != out, "scatterAdd", "out is an operand");
    checkIds("scatterAdd", axis, ids, skip);
    Axis source = new Axis(axis.outer(), ids.numel(), axis.inner());
    Rules.size("scatterAdd", "x", x, source.numel());
    Rules.size("scatterAdd", "out", out, axis.numel());
    for (int i = 0; !accumulate && i < out.numel(); i++) {
      out.set(i, 0);
    }
    for (long o = 0; o < axis.outer(); o++) {
      for (int j = 0; j < ids.numel(); j++) {
        for (long i = 0; i < axis.inner() && ids.longs()[j] != skip; i++) {
          add(out, at(axis, o, ids.longs()[j], i), x, at(source, o, j, i));
        }
      }
    }
  }

  private static void add(ReferenceStorage out, int to, ReferenceStorage x, int from) {
    if (x.dtype() == DType.I64) {
      out.longs()[to] += x.longs()[from];
    } else {
      out.set(to, out.get(to) + x.get(from));
    }
  }
}
