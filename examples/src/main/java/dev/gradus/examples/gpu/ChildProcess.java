package dev.gradus.examples.gpu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A process whose lines are read, and that is ended when it says nothing for too long. */
final class ChildProcess {
  private static final int WORDS = 12;

  private final ArrayDeque<String> words = new ArrayDeque<>();
  private final Duration silence;
  private boolean hung;

  /**
   * A process to be run.
   *
   * @param silence how long it may say nothing
   */
  ChildProcess(Duration silence) {
    this.silence = silence;
  }

  /**
   * Runs it to its end.
   *
   * @param lines is given each line of its output and errors
   * @return its exit code
   * @throws IOException if it cannot be started
   */
  int run(ProcessBuilder builder, Consumer<String> lines) throws IOException {
    Process process = builder.redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      BlockingQueue<Optional<String>> read = new LinkedBlockingQueue<>();
      Thread reader = new Thread(() -> read(process, read), "reader");
      reader.setDaemon(true);
      reader.start();
      Optional<String> line = read.poll(silence.toSeconds(), TimeUnit.SECONDS);
      while (line != null && line.isPresent()) {
        keep(line.get());
        lines.accept(line.get());
        line = read.poll(silence.toSeconds(), TimeUnit.SECONDS);
      }
      hung = line == null;
      if (hung) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
      return process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static void read(Process process, BlockingQueue<Optional<String>> to) {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      in.lines().forEach(line -> to.add(Optional.of(line)));
    } catch (IOException | UncheckedIOException e) {
      to.add(Optional.of(String.valueOf(e.getMessage())));
    }
    to.add(Optional.empty());
  }

  private void keep(String line) {
    if (words.size() == WORDS) {
      words.removeFirst();
    }
    words.addLast(line.strip());
  }

  /** How the process ended, with its last lines. */
  String end(int code) {
    String how =
        hung
            ? "the process said nothing for " + silence.toSeconds() + " s and was ended"
            : "the process ended with exit code " + code;
    return words.isEmpty() ? how : how + ": " + String.join(" | ", List.copyOf(words));
  }
}
