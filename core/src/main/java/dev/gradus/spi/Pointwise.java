package dev.gradus.spi;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * An update of parameters element by element, as a straight program: what a batched step computes
 * for each element from those of the parameter, of the gradient and of the buffers at its place.
 * {@link PointwiseBuilder} makes one.
 *
 * <p>Two programs that do the same are equal, whatever the scalars: a backend may keep what it
 * prepared for one.
 *
 * @param code the instructions, in order
 * @param registers how many intermediate values are alive at once, at most
 */
public record Pointwise(List<Instruction> code, int registers) {
  /** A program; the list is copied. */
  public Pointwise {
    code = List.copyOf(code);
  }

  /**
   * One operation.
   *
   * @param op the operation
   * @param out where its result goes: the parameter, a buffer or a register, which may be one of
   *     the operands
   * @param in as many operands as the operation has
   */
  public record Instruction(PointwiseOp op, Operand out, List<Operand> in) {
    /** An instruction; the list is copied. */
    public Instruction {
      in = List.copyOf(in);
    }
  }

  /**
   * Where a value is.
   *
   * @param kind what it is kept in
   * @param index which buffer, register or scalar; 0 for the others
   */
  public record Operand(Kind kind, int index) {
    /** What a value is kept in. */
    public enum Kind {
      /** The parameter. */
      PARAM,
      /** The gradient, which is only read. */
      GRAD,
      /** A buffer of the slot. */
      BUFFER,
      /** An intermediate value, undefined before it is written. */
      REGISTER,
      /** A number that all elements share, rounded to the storages' type. */
      SCALAR
    }

    /** Whether it is an element of the parameter, the gradient or a buffer. */
    public boolean inMemory() {
      return kind != Kind.REGISTER && kind != Kind.SCALAR;
    }
  }

  /** The storages whose values are read before they are written, if they are. */
  public Set<Operand> loads() {
    Set<Operand> loads = new LinkedHashSet<>();
    Set<Operand> written = new LinkedHashSet<>();
    for (Instruction i : code) {
      for (Operand x : i.in) {
        if (x.inMemory() && !written.contains(x)) {
          loads.add(x);
        }
      }
      written.add(i.out);
    }
    return loads;
  }

  /** The storages that are written. */
  public Set<Operand> stores() {
    Set<Operand> stores = new LinkedHashSet<>();
    for (Instruction i : code) {
      if (i.out.inMemory()) {
        stores.add(i.out);
      }
    }
    return stores;
  }
}
