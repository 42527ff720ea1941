package dev.gradus.examples;

import dev.gradus.nn.Embedding;
import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.nn.Sigmoid;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;

/** The model of the tour: five ids, each to a probability. */
final class SeedModel extends Module {
  final Embedding emb;
  final Linear linear;
  final Linear linear2;
  final Sigmoid activate;

  SeedModel(Device device) {
    emb = register("emb", new Embedding(device, 5, 5));
    linear = register("linear", new Linear(device, 5, 3));
    linear2 = register("linear2", new Linear(device, 3, 1));
    activate = register("activate", new Sigmoid());
  }

  @Override
  public Tensor forward(Tensor ids) {
    return activate.forward(linear2.forward(linear.forward(emb.forward(ids))));
  }
}
