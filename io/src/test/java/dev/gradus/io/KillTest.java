package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process is killed while it saves: the checkpoint that remains is one that it saved. */
class KillTest {
  private static final int MILLIS = 50;

  @TempDir Path folder;

  @Test
  void theCheckpointOfAKilledProcessLoads() throws Exception {
    kill(20);
  }

  @Test
  @Tag("long")
  void theCheckpointOfAProcessKilledTwoHundredTimesLoads() throws Exception {
    kill(200);
  }

  private void kill(int times) throws Exception {
    Path file = folder.resolve("killed.safetensors");
    Random random = new Random(1);
    boolean halfWritten = false;
    for (int i = 0; i < times; i++) {
      Files.deleteIfExists(file);
      Process child = ChildProcess.start(SavingLoop.class, file.toString());
      try (BufferedReader out = child.inputReader()) {
        assertEquals("saved", out.readLine());
        Thread.sleep(random.nextInt(MILLIS));
        if (i % 2 == 1) {
          awaitTemporary(file, child);
        }
      } finally {
        child.destroyForcibly().waitFor();
      }
      assertWhole(file);
      halfWritten |= leftTemporaries(file);
    }
    assertTrue(halfWritten, "no kill met a file that was being written");
  }

  @Test
  void twoProcessesThatSaveToOneFileLeaveAWholeOne() throws Exception {
    Path file = folder.resolve("killed.safetensors");
    Process one = ChildProcess.start(SavingLoop.class, file.toString());
    Process two = ChildProcess.start(SavingLoop.class, file.toString());
    try (BufferedReader first = one.inputReader();
        BufferedReader second = two.inputReader()) {
      assertEquals("saved", first.readLine());
      assertEquals("saved", second.readLine());
      for (int i = 0; i < 10; i++) {
        assertWhole(file);
      }
      assertTrue(one.isAlive() && two.isAlive());
    } finally {
      one.destroyForcibly().waitFor();
      two.destroyForcibly().waitFor();
    }
    assertWhole(file);
  }

  /** Every second kill comes while a file is being written, or just after. */
  private void awaitTemporary(Path file, Process child) throws IOException {
    while (child.isAlive()) {
      try (Stream<Path> all = Files.list(folder)) {
        if (all.anyMatch(f -> !f.equals(file))) {
          return;
        }
      }
    }
  }

  private static void assertWhole(Path file) throws IOException {
    try (Device device = Device.open("cpu")) {
      SavingLoop loop = new SavingLoop(device);
      Notes notes = loop.checkpoint.load(file);
      assertEquals(notes.step(), loop.optimizer.stepsOf(loop.weight));
      assertTrue(notes.step() >= 1);
      assertAll(notes.number("weight"), loop.weight);
      assertAll(notes.number("buffer"), loop.buffer());
    }
  }

  private static void assertAll(double expected, Tensor t) {
    for (float v : t.toFloatArray()) {
      assertEquals(expected, v);
    }
  }

  /**
   * Whether files that were being written are left; they are deleted, and nothing else is there.
   */
  private boolean leftTemporaries(Path file) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      for (Path left : all.filter(f -> !f.equals(file)).toList()) {
        String name = left.getFileName().toString();
        assertTrue(name.startsWith(".killed.safetensors.") && name.endsWith(".tmp"), name);
        Files.delete(left);
        return true;
      }
    }
    return false;
  }
}
