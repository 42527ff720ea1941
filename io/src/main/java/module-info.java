/** Model files: safetensors and checkpoints. */
module dev.gradus.io {
  requires transitive dev.gradus.optim;
  requires com.fasterxml.jackson.core;
  requires static org.jspecify;

  exports dev.gradus.io;
}
