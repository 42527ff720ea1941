package dev.gradus.nn;

import dev.gradus.tensor.Tensor;

/** Values that belong to a module and are not trained; they live as long as they are referenced. */
final class ModuleBuffer extends Tensor {

  /** A buffer with a copy of these values. */
  ModuleBuffer(Tensor initial) {
    super(initial);
  }

  /** Holds what another tensor holds from now on, its device and type included. */
  void take(Tensor values) {
    become(values);
  }
}
