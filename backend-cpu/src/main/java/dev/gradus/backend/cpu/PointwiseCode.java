package dev.gradus.backend.cpu;

import dev.gradus.spi.Pointwise;
import dev.gradus.spi.Pointwise.Operand;
import dev.gradus.spi.PointwiseOp;
import java.util.List;
import java.util.Set;

/**
 * A pointwise program whose operands are numbers of lanes. A lane holds a block of values: lane 0
 * the parameter's, 1 the gradient's, then those of the buffers, registers and scalars.
 */
final class PointwiseCode {
  private static final int FIRST_BUFFER = 2;

  final PointwiseOp[] op;
  final int[] out;

  /** Three a instruction; 0 where it has no such operand. */
  final int[] in;

  /** The lanes that are read from memory before a block, and written to it after. */
  final int[] loads;

  final int[] stores;

  final int firstScalar;
  final int lanes;

  private final int firstRegister;

  PointwiseCode(Pointwise program, int scalars) {
    firstRegister = FIRST_BUFFER + buffers(program);
    firstScalar = firstRegister + program.registers();
    lanes = firstScalar + scalars;
    List<Pointwise.Instruction> code = program.code();
    op = new PointwiseOp[code.size()];
    out = new int[op.length];
    in = new int[3 * op.length];
    for (int i = 0; i < op.length; i++) {
      op[i] = code.get(i).op();
      out[i] = lane(code.get(i).out());
      for (int k = 0; k < code.get(i).in().size(); k++) {
        in[3 * i + k] = lane(code.get(i).in().get(k));
      }
    }
    loads = lanes(program.loads());
    stores = lanes(program.stores());
  }

  /** How many buffers it knows. */
  private static int buffers(Pointwise program) {
    int buffers = 0;
    for (Set<Operand> used : List.of(program.loads(), program.stores())) {
      for (Operand x : used) {
        buffers = x.kind() == Operand.Kind.BUFFER ? Math.max(buffers, x.index() + 1) : buffers;
      }
    }
    return buffers;
  }

  private int lane(Operand x) {
    return switch (x.kind()) {
      case PARAM -> 0;
      case GRAD -> 1;
      case BUFFER -> FIRST_BUFFER + x.index();
      case REGISTER -> firstRegister + x.index();
      case SCALAR -> firstScalar + x.index();
    };
  }

  private int[] lanes(Set<Operand> operands) {
    return operands.stream().mapToInt(this::lane).toArray();
  }
}
