/** Model files and checkpoints: named tensors in the safetensors format. */
module dev.gradus.io {
  requires transitive dev.gradus.core;
  requires transitive dev.gradus.optim;
  requires com.fasterxml.jackson.core;
  requires static org.jspecify;

  exports dev.gradus.io;
}
