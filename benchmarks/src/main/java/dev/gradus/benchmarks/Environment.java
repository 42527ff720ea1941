package dev.gradus.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gradus.spi.Backends;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Where figures were taken. Nothing that names the machine's owner.
 *
 * @param date the day, in UTC
 * @param commit the commit of the sources; "unknown" outside a clone, with "+" where files differ
 * @param java the version of Java: 17
 * @param jdk vendor and version
 * @param processor its model's name
 * @param cores the processors that the JVM sees
 * @param threads the threads of every engine
 * @param memoryGiB the machine's memory
 * @param os the operating system
 * @param backends the report of the backends, as {@code gradus doctor} prints it
 */
record Environment(
    String date,
    String commit,
    int java,
    String jdk,
    String processor,
    int cores,
    int threads,
    long memoryGiB,
    String os,
    String backends) {

  /** The project's folder, as {@code gradus} names it; without it the current one. */
  static Path project() {
    return Path.of(System.getProperty("gradus.project", ""));
  }

  /** This process's. */
  static Environment here(int threads) throws IOException {
    return new Environment(
        LocalDate.now(ZoneOffset.UTC).toString(),
        headCommit(),
        Runtime.version().feature(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
        processorModel(),
        Runtime.getRuntime().availableProcessors(),
        threads,
        memory() >> 30,
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        Backends.report().toString());
  }

  /** Day, machine and JDK for the name of a file: {@code 2026-11-25-amd-epyc-2-cores-jdk-17}. */
  String fileName() {
    String model = processor.replaceAll("\\(.*?\\)|@.*|CPU|Processor|\\d+-Core", " ");
    String plain = model.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    String size = cores + (cores == 1 ? "-core" : "-cores");
    return date + "-" + plain.replaceAll("^-|-$", "") + "-" + size + "-jdk-" + java;
  }

  /** One sentence for the report. */
  String sentence() {
    return String.format(
        Locale.ROOT,
        "%s, %d cores, %d threads, %d GiB; %s; %s; commit %s.",
        processor,
        cores,
        threads,
        memoryGiB,
        os,
        jdk,
        commit);
  }

  /** Writes it as JSON. */
  void write(Path json) throws IOException {
    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(json.toFile(), this);
  }

  private static String processorModel() throws IOException {
    Path info = Path.of("/proc/cpuinfo");
    if (Files.isReadable(info)) {
      try (Stream<String> lines = Files.lines(info)) {
        return lines
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      }
    }
    return System.getProperty("os.arch");
  }

  private static long memory() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean os
        ? os.getTotalMemorySize()
        : 0;
  }

  private static String headCommit() {
    String head = git("rev-parse", "--short=12", "HEAD");
    if (head.isEmpty()) {
      return "unknown";
    }
    return git("status", "--porcelain", "-uno").isEmpty() ? head : head + "+";
  }

  private static String git(String... args) {
    String[] command = Stream.concat(Stream.of("git"), Stream.of(args)).toArray(String[]::new);
    try {
      Process git =
          new ProcessBuilder(command)
              .directory(project().toAbsolutePath().toFile())
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
