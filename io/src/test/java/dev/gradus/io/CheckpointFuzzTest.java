package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.ThreadMXBean;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checkpoints with random damage: refused, and nothing is changed, or loaded as they are: what is
 * then saved says the same.
 */
class CheckpointFuzzTest {
  private static final ObjectMapper JSON = new ObjectMapper();

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
    Path again = folder.resolve("again");
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
        List<double[]> before = values(other);
        String groups = other.optimizers.get(0).describe();
        try {
          Notes notes = load(other, file);
          loaded++;
          other.checkpoint.save(again, notes);
          assertSame(file, again, "seed " + seed);
          continue;
        } catch (MalformedFileException e) {
          malformed++;
        } catch (IllegalArgumentException e) {
          assertTrue(e.getMessage().startsWith("Checkpoint.load: " + file), e.toString());
          unfit++;
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("seed " + seed + ": " + e, e);
        }
        List<double[]> after = values(other);
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
  private static Notes load(Training other, Path file) throws IOException {
    long most = (1 << 20) + 16 * Files.size(file);
    if (bytesToLoad(other, file) > most) {
      long again = bytesToLoad(other, file);
      assertTrue(again <= most, "took " + again + " bytes of at most " + most);
    }
    return other.checkpoint.load(file);
  }

  /** Checks that two checkpoints say and hold the same. */
  private static void assertSame(Path one, Path two, String which) throws IOException {
    try (SafeTensorsReader a = SafeTensors.open(one);
        SafeTensorsReader b = SafeTensors.open(two)) {
      assertEquals(Set.copyOf(a.allNames()), Set.copyOf(b.allNames()), which);
      JsonNode told = JSON.readTree(a.metadata().get(CheckpointHeader.KEY));
      JsonNode kept = JSON.readTree(b.metadata().get(CheckpointHeader.KEY));
      assertEquals(plain(told), plain(kept), which);
      ByteBuffer first = ByteBuffer.wrap(Files.readAllBytes(one));
      ByteBuffer second = ByteBuffer.wrap(Files.readAllBytes(two));
      for (String name : a.allNames()) {
        assertEquals(slice(first, a.entry(name)), slice(second, b.entry(name)), which);
      }
    }
  }

  /** The bytes of a tensor. */
  private static ByteBuffer slice(ByteBuffer file, TensorEntry e) {
    int dataStart = Long.BYTES + (int) file.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    return file.slice(dataStart + (int) e.begin(), (int) (e.end() - e.begin()));
  }

  /** JSON without the version, in which numbers are equal whose values are. */
  private static Object plain(JsonNode node) {
    if (node.isNumber()) {
      return node.doubleValue();
    }
    if (node.isArray()) {
      List<Object> all = new ArrayList<>();
      node.forEach(e -> all.add(plain(e)));
      return all;
    }
    if (node.isObject()) {
      Map<String, Object> all = new TreeMap<>();
      node.properties().forEach(e -> all.put(e.getKey(), plain(e.getValue())));
      all.remove("version");
      return all;
    }
    return node.asText();
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

  private static List<double[]> values(Training training) {
    List<Tensor> all = new ArrayList<>(training.model.stateDict().values());
    all.addAll(training.averages.liveState().values());
    return all.stream().map(t -> t.to(DType.F64).toDoubleArray()).toList();
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
