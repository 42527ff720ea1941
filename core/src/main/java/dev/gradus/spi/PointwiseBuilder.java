package dev.gradus.spi;

import dev.gradus.spi.Pointwise.Operand;
import dev.gradus.spi.Pointwise.Operand.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a {@link Pointwise} program as a formula. The operations have PyTorch's names and its
 * arithmetic: {@code add} with a factor, {@code lerp} and {@code addcmul} round once where the
 * tensor operations of PyTorch's CPU kernels do.
 *
 * <pre>{@code
 * Value g = u.grad();
 * Value s = u.set("square_avg", u.buffer("square_avg").mul(0.9).addcmul(g, g, 0.1));
 * u.setParam(u.param().addcdiv(g, s.sqrt().add(1e-8), -lr));
 * }</pre>
 */
public final class PointwiseBuilder {
  private static final Operand PARAM = new Operand(Kind.PARAM, 0);
  private static final Operand GRAD = new Operand(Kind.GRAD, 0);

  private final List<String> buffers;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Double> scalars = new ArrayList<>();

  /** What the parameter and buffers shall be, where that was said. */
  private final Map<Operand, Value> results = new LinkedHashMap<>();

  /** An operation on values and scalars. */
  private record Node(PointwiseOp op, List<Value> in) {}

  /**
   * A builder.
   *
   * @param buffers the names of the slots' buffers, in their order
   */
  public PointwiseBuilder(List<String> buffers) {
    this.buffers = List.copyOf(buffers);
  }

  /** The parameter: as it was, or after {@link #setParam} as it will be. */
  public Value param() {
    return present(PARAM);
  }

  /** The gradient. */
  public Value grad() {
    return new Value(GRAD, -1);
  }

  /** A buffer: as it was, or after {@link #set} as it will be. */
  public Value buffer(String name) {
    return present(operand(name));
  }

  /** Says what the parameter becomes; returns that. */
  public Value setParam(Value value) {
    return set(PARAM, value);
  }

  /** Says what a buffer becomes; returns that. */
  public Value set(String buffer, Value value) {
    return set(operand(buffer), value);
  }

  private Value present(Operand place) {
    Value set = results.get(place);
    return set == null ? new Value(place, -1) : set;
  }

  private Value set(Operand place, Value value) {
    requireOwn(value);
    Value result = value.node < 0 ? op(PointwiseOp.COPY, value) : value;
    results.put(place, result);
    return result;
  }

  private Operand operand(String name) {
    int index = buffers.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException(
          "pointwise: there is no buffer '" + name + "'; there are " + buffers);
    }
    return new Operand(Kind.BUFFER, index);
  }

  private Value op(PointwiseOp op, Value... in) {
    for (Value v : in) {
      requireOwn(v);
    }
    nodes.add(new Node(op, List.of(in)));
    return new Value(PARAM, nodes.size() - 1);
  }

  private void requireOwn(Value value) {
    if (value.builder() != this) {
      throw new IllegalArgumentException(
          "pointwise: a value is of another builder; make all values of a program with one");
    }
  }

  private Value scalar(double value) {
    scalars.add(value);
    return new Value(new Operand(Kind.SCALAR, scalars.size() - 1), -1);
  }

  /** A value of each element. */
  public final class Value {
    /** Where an input is; of no meaning for the result of a node. */
    private final Operand input;

    /** The node that computes it; -1 for an input. */
    private final int node;

    private Value(Operand input, int node) {
      this.input = input;
      this.node = node;
    }

    private PointwiseBuilder builder() {
      return PointwiseBuilder.this;
    }

    /** {@code -this}. */
    public Value neg() {
      return op(PointwiseOp.NEG, this);
    }

    /** {@code |this|}. */
    public Value abs() {
      return op(PointwiseOp.ABS, this);
    }

    /** The square root. */
    public Value sqrt() {
      return op(PointwiseOp.SQRT, this);
    }

    /** 1, -1, or 0 for zeros and NaN. */
    public Value sign() {
      return op(PointwiseOp.SIGN, this);
    }

    /** {@code this + y}. */
    public Value add(Value y) {
      return op(PointwiseOp.ADD, this, y);
    }

    /** {@code this + y}. */
    public Value add(double y) {
      return op(PointwiseOp.ADD, this, scalar(y));
    }

    /** {@code fma(alpha, y, this)}. */
    public Value add(Value y, double alpha) {
      return op(PointwiseOp.FMA, scalar(alpha), y, this);
    }

    /** {@code this - y}. */
    public Value sub(Value y) {
      return op(PointwiseOp.SUB, this, y);
    }

    /** {@code this * y}. */
    public Value mul(Value y) {
      return op(PointwiseOp.MUL, this, y);
    }

    /** {@code this * y}. */
    public Value mul(double y) {
      return op(PointwiseOp.MUL, this, scalar(y));
    }

    /** {@code this / y}. */
    public Value div(Value y) {
      return op(PointwiseOp.DIV, this, y);
    }

    /** {@code this / y}. */
    public Value div(double y) {
      return op(PointwiseOp.DIV, this, scalar(y));
    }

    /** {@code x / this}. */
    public Value rdiv(double x) {
      return op(PointwiseOp.DIV, scalar(x), this);
    }

    /** The greater of this and y. */
    public Value max(Value y) {
      return op(PointwiseOp.MAX, this, y);
    }

    /** {@code min(max(this, least), greatest)}. */
    public Value clamp(double least, double greatest) {
      Value raised = op(PointwiseOp.MAX, this, scalar(least));
      return op(PointwiseOp.MIN, raised, scalar(greatest));
    }

    /** {@code fma(value y, z, this)}. */
    public Value addcmul(Value y, Value z, double value) {
      return op(PointwiseOp.FMA, value == 1 ? y : y.mul(value), z, this);
    }

    /** {@code this + (value y) / z}. */
    public Value addcdiv(Value y, Value z, double value) {
      return add((value == 1 ? y : y.mul(value)).div(z));
    }

    /** From this to end by the weight, as {@link BinaryOp#LERP}. */
    public Value lerp(Value end, double weight) {
      return op(PointwiseOp.LERP, this, end, scalar(weight));
    }

    /** {@code this > 0 ? positive : other}. */
    public Value where(double positive, Value other) {
      return op(PointwiseOp.WHERE, this, scalar(positive), other);
    }

    /** {@code this > 0 ? positive : other}. */
    public Value where(double positive, double other) {
      return op(PointwiseOp.WHERE, this, scalar(positive), scalar(other));
    }
  }

  // ---- building

  /**
   * The program of what was set so far, with its scalars.
   *
   * <p>A result is computed in its own place where the value that was there is not read any more,
   * else in a register and copied at the end.
   */
  public PointwiseStep build() {
    int n = nodes.size();
    Operand[] places = new Operand[n];
    List<Operand> copied = new ArrayList<>();
    results.forEach(
        (place, value) -> {
          if (places[value.node] == null && lastRead(place) <= value.node) {
            places[value.node] = place;
          } else {
            copied.add(place);
          }
        });
    int registers = assignRegisters(places, copied);
    List<Pointwise.Instruction> code = new ArrayList<>(n + copied.size());
    for (int i = 0; i < n; i++) {
      Node node = nodes.get(i);
      List<Operand> in = new ArrayList<>(node.in.size());
      for (Value v : node.in) {
        in.add(v.node < 0 ? v.input : places[v.node]);
      }
      code.add(new Pointwise.Instruction(node.op, places[i], in));
    }
    for (Operand place : copied) {
      Operand from = places[present(place).node];
      code.add(new Pointwise.Instruction(PointwiseOp.COPY, place, List.of(from)));
    }
    return new PointwiseStep(new Pointwise(code, registers), scalars);
  }

  /** The last node that reads what a place held before; -1 if none does. */
  private int lastRead(Operand place) {
    for (int i = nodes.size() - 1; i >= 0; i--) {
      for (Value v : nodes.get(i).in) {
        if (v.node < 0 && v.input.equals(place)) {
          return i;
        }
      }
    }
    return -1;
  }

  /** Gives each value without a place a register that no living value has; returns their number. */
  private int assignRegisters(Operand[] places, List<Operand> copied) {
    int n = nodes.size();
    int[] lastUse = new int[n];
    for (int i = 0; i < n; i++) {
      for (Value v : nodes.get(i).in) {
        if (v.node >= 0) {
          lastUse[v.node] = i;
        }
      }
    }
    for (Operand place : copied) {
      lastUse[present(place).node] = n;
    }
    int[] freeFrom = new int[n];
    int registers = 0;
    for (int i = 0; i < n; i++) {
      if (places[i] == null) {
        int r = 0;
        while (r < registers && freeFrom[r] > i) {
          r++;
        }
        registers = Math.max(registers, r + 1);
        freeFrom[r] = Math.max(lastUse[i], i);
        places[i] = new Operand(Kind.REGISTER, r);
      }
    }
    return registers;
  }
}
