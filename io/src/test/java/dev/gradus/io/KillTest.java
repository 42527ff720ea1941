package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process is killed while it saves: the file that remains is one that it saved. */
class KillTest {
  @TempDir Path folder;

  @Test
  void theFileOfAKilledProcessLoads() throws Exception {
    kill(5);
  }

  @Test
  @Tag("long")
  void theFileOfAProcessKilledFiftyTimesLoads() throws Exception {
    kill(50);
  }

  private void kill(int times) throws Exception {
    Path file = folder.resolve("killed.safetensors");
    Random random = new Random(1);
    for (int i = 0; i < times; i++) {
      Files.deleteIfExists(file);
      Process child = start(file);
      try (BufferedReader out = child.inputReader()) {
        assertEquals("saved", out.readLine());
        Thread.sleep(random.nextInt(60));
      } finally {
        child.destroyForcibly().waitFor();
      }
      assertWhole(file);
    }
  }

  private static Process start(Path file) throws IOException, URISyntaxException {
    TreeSet<String> path = new TreeSet<>();
    for (Class<?> c :
        new Class<?>[] {
          SavingLoop.class,
          SafeTensors.class,
          Tensor.class,
          ReferenceBackend.class,
          JsonFactory.class
        }) {
      path.add(Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
    }
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            String.join(File.pathSeparator, path),
            SavingLoop.class.getName(),
            file.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private void assertWhole(Path file) throws IOException {
    try (Device device = Device.over(new ReferenceBackend("ref"));
        SafeTensorsReader reader = SafeTensors.open(file)) {
      float step = Float.parseFloat(reader.metadata().get("step"));
      float[] values = reader.read("w", device).toFloatArray();
      assertEquals(SavingLoop.ELEMENTS, values.length);
      for (float v : values) {
        assertEquals(step, v);
      }
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertTrue(
          left.filter(f -> !f.equals(file))
              .map(f -> f.getFileName().toString())
              .allMatch(n -> n.startsWith(".killed.safetensors.") && n.endsWith(".tmp")));
    }
  }
}
