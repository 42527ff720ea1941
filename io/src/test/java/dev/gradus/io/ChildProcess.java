package dev.gradus.io;

import java.io.IOException;
import java.nio.file.Path;

/** A program of the tests in a process of its own. */
final class ChildProcess {
  private ChildProcess() {}

  /** Starts the main method of a class. */
  static Process start(Class<?> main, String argument) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName(),
            argument)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
