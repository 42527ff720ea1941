package dev.gradus.spi;

import java.util.List;

/**
 * One parameter of a batched pointwise step, and its state, all of one type and size.
 *
 * @param param the values, updated in place
 * @param grad the gradient, read only
 * @param buffers those that programs name by their index
 */
public record PointwiseSlot(Storage param, Storage grad, List<Storage> buffers) {
  /** A slot; the list is copied. */
  public PointwiseSlot {
    buffers = List.copyOf(buffers);
  }

  /** The storage of an operand that is in memory. */
  public Storage storage(Pointwise.Operand operand) {
    return switch (operand.kind()) {
      case PARAM -> param;
      case GRAD -> grad;
      case BUFFER -> buffers.get(operand.index());
      case REGISTER, SCALAR -> throw new IllegalArgumentException(operand + " is not in memory");
    };
  }
}
