package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** N steps, a checkpoint and N more in another process are 2N steps. */
class ResumeTest {
  @TempDir Path folder;

  @Test
  void aTrainingGoesOnInANewProcessToTheLastBit() throws Exception {
    for (Training.Kind kind : Training.Kind.values()) {
      try (Device device = Device.open("cpu")) {
        Training through = new Training(kind, device, 1);
        through.train(2 * Training.EPOCHS);
        SafeTensors.save(folder.resolve(kind + ".through.model"), through.model);
        through.checkpoint.save(folder.resolve(kind + ".through"), Notes.at(2));
      }
      try (Device device = Device.open("cpu")) {
        Training half = new Training(kind, device, 1);
        half.train(Training.EPOCHS);
        half.checkpoint.save(folder.resolve(kind + ".half"), Notes.at(1));
      }
    }
    assertEquals(0, ChildProcess.start(ResumedTraining.class, folder.toString()).waitFor());
    for (Training.Kind kind : Training.Kind.values()) {
      for (String what : new String[] {"", ".model"}) {
        byte[] expected = Files.readAllBytes(folder.resolve(kind + ".through" + what));
        assertArrayEquals(
            expected, Files.readAllBytes(folder.resolve(kind + ".resumed" + what)), kind + what);
      }
      // Both halves moved the model, and the second is not the first again.
      assertTrue(differ(kind + ".half", kind + ".through"));
    }
  }

  private boolean differ(String one, String two) throws IOException {
    return Files.mismatch(folder.resolve(one), folder.resolve(two)) >= 0;
  }

  /**
   * What both backends compute in float32 differs by roundings: 20 steps of at most 0.02 move a
   * weight by 0.4, of which each step's relative error is some 1e-6.
   */
  private static final double ROUNDINGS = 2e-5;

  @ParameterizedTest
  @EnumSource
  void aTrainingGoesOnOnAnotherBackend(Training.Kind kind) throws IOException {
    Path file = folder.resolve("half");
    try (Device cpu = Device.open("cpu");
        Device reference = Device.over(new ReferenceBackend("ref"))) {
      Training one = new Training(kind, cpu, 1);
      one.train(Training.EPOCHS);
      one.checkpoint.save(file, Notes.at(1));
      Training two = new Training(kind, reference, 999);
      two.checkpoint.load(file);
      two.checkpoint.save(folder.resolve("again"), Notes.at(1));
      assertEquals(-1, Files.mismatch(file, folder.resolve("again")));
      one.train(Training.EPOCHS);
      two.train(Training.EPOCHS);
      Map<String, Tensor> expected = one.model.stateDict();
      two.model
          .stateDict()
          .forEach(
              (name, t) ->
                  assertArrayEquals(
                      expected.get(name).to(DType.F64).toDoubleArray(),
                      t.to(DType.F64).toDoubleArray(),
                      ROUNDINGS,
                      name));
    }
  }
}
