package dev.gradus.tensor;

import dev.gradus.testing.ReferenceBackend;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program run to its end in a JVM of its own, on the classes under test and those of the tests.
 */
record ChildJvm(int exit, String out, String err) {
  private static final int SECONDS = 60;

  /**
   * Runs a program.
   *
   * @param options for the JVM
   */
  static ChildJvm run(List<String> options, String mainClass, String... args) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of("-cp", root(Device.class) + File.pathSeparator + root(ReferenceBackend.class)));
    command.add(mainClass);
    command.addAll(Arrays.asList(args));
    Path out = Files.createTempFile("child", ".out");
    Path err = Files.createTempFile("child", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.redirectOutput(out.toFile()).redirectError(err.toFile());
      builder.environment().remove("JAVA_TOOL_OPTIONS"); // it is announced on stderr
      Process process = builder.start();
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError(command + " ran for more than " + SECONDS + " s: " + read(err));
      }
      return new ChildJvm(process.exitValue(), read(out), read(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /** The lines of stderr with this level of the JDK's console handler. */
  List<String> warnings() {
    return err.lines().filter(line -> line.startsWith("WARNING: ")).toList();
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  /** The folder or jar that a class comes from, whether on the class path or the module path. */
  private static String root(Class<?> c) throws URISyntaxException {
    String resource = c.getSimpleName() + ".class";
    String uri = c.getResource(resource).toURI().toString();
    if (uri.startsWith("jar:")) {
      return Path.of(new java.net.URI(uri.substring(4, uri.indexOf("!/")))).toString();
    }
    Path root = Path.of(new java.net.URI(uri));
    for (int i = c.getName().split("\\.").length; i > 0; i--) {
      root = root.getParent();
    }
    return root.toString();
  }
}
