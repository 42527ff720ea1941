package dev.gradus.io;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.nio.file.Path;
import java.util.Map;

/** A program that replaces one file again and again, until it is killed. */
final class SavingLoop {
  /** Several parts, so that a kill finds the file half written. */
  static final int ELEMENTS = 3 * Parts.ELEMENTS;

  private SavingLoop() {}

  /** Saves to the path in the first argument; a line says that the first file is there. */
  @SuppressWarnings("try") // the scope is open for its effect
  public static void main(String[] args) throws Exception {
    try (Device device = Device.over(new ReferenceBackend("ref"))) {
      for (int step = 0; ; step++) {
        try (Scope scope = Scope.open()) {
          SafeTensors.save(
              Path.of(args[0]),
              Map.of("w", device.full(DType.F32, step, ELEMENTS)),
              Map.of("step", Integer.toString(step)));
        }
        if (step == 0) {
          System.out.println("saved");
        }
      }
    }
  }
}
