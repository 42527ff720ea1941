/** Tensors, automatic differentiation, modules, and the interface to backends. */
module dev.gradus.core {
  requires static org.jspecify;

  exports dev.gradus.types;
  exports dev.gradus.spi;
  exports dev.gradus.tensor;
  exports dev.gradus.nn;

  uses dev.gradus.spi.BackendProvider;
}
