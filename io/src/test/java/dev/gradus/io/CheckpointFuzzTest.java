package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints with random damage: refused, and nothing is changed, or loaded as they are. */
class CheckpointFuzzTest {
  @TempDir Path folder;

  @Test
  void damagedCheckpointsAreRefusedOrLoaded() throws IOException {
    fuzz(1_000);
  }

  @Test
  @Tag("long")
  void manyDamagedCheckpoints() throws IOException {
    fuzz(50_000);
  }

  private void fuzz(int files) throws IOException {
    Path file = folder.resolve("fuzzed.safetensors");
    int loaded = 0;
    int unfit = 0;
    int malformed = 0;
    try (Device device = Device.open("cpu")) {
      Training training = new Training(Training.Kind.ADAM, device, 1);
      training.train(1);
      training.checkpoint.save(file, Notes.at(1).with("loss", 0.5).with("text", "1"));
      final byte[] original = Files.readAllBytes(file);
      Training other = new Training(Training.Kind.ADAM, device, 2);
      for (int seed = 0; seed < files; seed++) {
        Files.write(file, damaged(original, new SplittableRandom(seed)));
        List<float[]> before = values(other);
        String groups = other.optimizers.get(0).describe();
        try {
          load(other, file);
          loaded++;
          continue;
        } catch (MalformedFileException e) {
          malformed++;
        } catch (IllegalArgumentException e) {
          assertTrue(e.getMessage().startsWith("Checkpoint.load: " + file), e.toString());
          unfit++;
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("seed " + seed + ": " + e, e);
        }
        List<float[]> after = values(other);
        for (int i = 0; i < before.size(); i++) {
          assertArrayEquals(before.get(i), after.get(i), "seed " + seed);
        }
        assertEquals(groups, other.optimizers.get(0).describe());
      }
    }
    // Each must happen often, or the damage is of the wrong kind.
    String counts = loaded + " loaded, " + unfit + " unfit, " + malformed + " malformed";
    assertTrue(loaded > files / 100 && unfit > files / 100 && malformed > files / 4, counts);
  }

  /** Loads a file, which takes little memory; the first time the JVM links what it runs. */
  private static void load(Training other, Path file) throws IOException {
    long most = (1 << 20) + 16 * Files.size(file);
    if (bytesToLoad(other, file) > most) {
      long again = bytesToLoad(other, file);
      assertTrue(again <= most, "took " + again + " bytes of at most " + most);
    }
    other.checkpoint.load(file);
  }

  private static long bytesToLoad(Training other, Path file) throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try {
      other.checkpoint.load(file);
    } catch (IllegalArgumentException | MalformedFileException e) {
      // The next load throws it again.
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  private static List<float[]> values(Training training) {
    List<float[]> values = new ArrayList<>();
    for (Tensor t : training.model.stateDict().values()) {
      values.add(t.toFloatArray());
    }
    return values;
  }

  /** Damage as to any file, or one character of the JSON replaced by another of it. */
  private static byte[] damaged(byte[] original, SplittableRandom random) {
    if (random.nextInt(4) == 0) {
      return MutationFuzzTest.damage(original, random);
    }
    byte[] b = original.clone();
    int end = original.length;
    for (int i = 0; i < original.length; i++) {
      if (original[i] == '}' && original[i + 1] == '"') {
        end = i;
        break;
      }
    }
    b[8 + random.nextInt(end - 8)] = b[8 + random.nextInt(end - 8)];
    return b;
  }
}
