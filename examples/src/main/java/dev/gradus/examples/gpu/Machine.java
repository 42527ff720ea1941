package dev.gradus.examples.gpu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** Where the check runs. Nothing that names the machine's owner. */
public final class Machine {
  private Machine() {}

  /**
   * What is known of it, each with its name.
   *
   * @param project the clone's folder
   */
  public static Map<String, String> describe(Path project) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    all.put("commit", commit(project));
    all.put("JDK", property("java.vm.name") + " " + property("java.vm.version"));
    all.put("system", property("os.name") + " " + property("os.version"));
    all.put(
        "processors", Runtime.getRuntime().availableProcessors() + " of " + property("os.arch"));
    DeviceProcess.properties()
        .forEach((name, value) -> all.put(name, value.replace(property("user.home"), "~")));
    all.remove("gradus.project");
    for (String name : new String[] {"CUDA_VISIBLE_DEVICES", "GRADUS_BACKEND"}) {
      String value = System.getenv(name);
      if (value != null) {
        all.put(name, value);
      }
    }
    return all;
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }

  private static String commit(Path project) {
    String head = git(project, "rev-parse", "HEAD");
    String changed = git(project, "status", "--porcelain", "-uno");
    return head.isEmpty() ? "unknown" : changed.isEmpty() ? head : head + ", with changes";
  }

  private static String git(Path project, String... args) {
    String[] command = Stream.concat(Stream.of("git"), Stream.of(args)).toArray(String[]::new);
    try {
      Process git =
          new ProcessBuilder(command)
              .directory(project.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String out = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return git.waitFor() == 0 ? out : "";
    } catch (IOException e) {
      return ""; // no git here
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
