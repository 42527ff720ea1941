package dev.gradus.examples;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The program, or another, run in a process of its own: the number of threads belongs to the
 * process.
 */
final class Child {
  private Child() {}

  /** Runs it with so many threads. */
  static Run of(int threads, String... args) throws IOException, InterruptedException {
    return of(List.of("-Dgradus.threads=" + threads), Main.class, args);
  }

  /** As {@link #of}; the file that it saves is moved, so that all runs can be given one name. */
  static Run saving(Path file, Path moved, int threads, String... args)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--save", file.toString()));
    Run run = of(threads, all.toArray(new String[0]));
    if (run.code() == 0) {
      Files.move(file, moved);
    }
    return run;
  }

  /** Runs the main method of a class with options for its virtual machine. */
  static Run of(List<String> options, Class<?> main, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(args));
    File out = File.createTempFile("gradus", ".out");
    File err = File.createTempFile("gradus", ".err");
    try {
      Process process = new ProcessBuilder(command).redirectOutput(out).redirectError(err).start();
      int code = process.waitFor();
      return new Run(code, Files.readString(out.toPath()), Files.readString(err.toPath()));
    } finally {
      Files.delete(out.toPath());
      Files.delete(err.toPath());
    }
  }
}
