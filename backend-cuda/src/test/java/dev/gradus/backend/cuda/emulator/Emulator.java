package dev.gradus.backend.cuda.emulator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import org.junit.jupiter.api.Assumptions;

/** Builds the emulated driver and cuBLAS from src/test/cpp with g++, once for the same sources. */
public final class Emulator {
  /** The driver's file. */
  public static final String DRIVER = "libcuda.so.1";

  private static final String CUBLAS = "libcublas.so.12";
  private static final Path SOURCES = Path.of("src/test/cpp").toAbsolutePath();
  private static final Path FOLDER = Path.of("target/emulator").toAbsolutePath();

  /**
   * No contraction: a PTX instruction rounds when it says so. No errno and no traps: loops over
   * lanes become vector instructions. Signed overflow wraps, as PTX says.
   */
  private static final List<String> FLAGS =
      List.of(
          "-std=c++17",
          "-O3",
          "-march=native",
          "-mprefer-vector-width=512",
          "-fPIC",
          "-fvisibility=hidden",
          "-ffp-contract=off",
          "-fno-math-errno",
          "-fno-trapping-math",
          "-fwrapv",
          "-fno-strict-aliasing",
          "-Wall",
          "-Wextra");

  private static final String DRIVER_OF_TESTS = "gradus.test.cuda";

  private Emulator() {}

  /** Whether tests compute on the machine's own device: {@code -Dgradus.test.cuda=real}. */
  public static boolean isLeftOut() {
    String driver = System.getProperty(DRIVER_OF_TESTS, "emulated");
    return switch (driver) {
      case "emulated" -> false;
      case "real" -> true;
      default ->
          throw new IllegalArgumentException(
              DRIVER_OF_TESTS + " must be emulated or real but is '" + driver + "'");
    };
  }

  /** Builds the emulator, and loads it and JCuda's native code into this process. */
  static void load() {
    Path folder = build();
    System.load(folder.resolve(DRIVER).toString());
    System.load(folder.resolve(CUBLAS).toString());
    // JCuda unpacks its code there, and processes that do so together break each other's files.
    String before = System.getProperty("java.io.tmpdir");
    try {
      System.setProperty("java.io.tmpdir", Files.createTempDirectory(FOLDER, "jcuda").toString());
      JCudaDriver.setExceptionsEnabled(false);
      JCublas2.setExceptionsEnabled(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      System.setProperty("java.io.tmpdir", before);
    }
  }

  /**
   * The folder with the libraries, which is what {@code -Dgradus.cuda.lib} takes. Where there is no
   * g++, or the emulator is left out, the calling test is aborted, and a line says so.
   */
  public static Path build() {
    if (!Once.LACKING.isEmpty()) {
      String line = "the tests on the emulated CUDA driver do not run: " + Once.LACKING;
      System.out.println(line);
      Assumptions.abort(line);
    }
    return Once.FOLDER;
  }

  /** What is found out and built once a process. */
  private static final class Once {
    static final String LACKING = lacking();
    static final Path FOLDER = LACKING.isEmpty() ? built() : Emulator.FOLDER;
  }

  private static Path built() {
    try {
      Files.createDirectories(FOLDER);
      try (FileChannel channel =
              FileChannel.open(
                  FOLDER.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        String hash = hash();
        Path stamp = FOLDER.resolve("built");
        if (!lock.isValid() || !Files.exists(stamp) || !Files.readString(stamp).equals(hash)) {
          compile();
          Files.writeString(stamp, hash);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return FOLDER;
  }

  /** What this machine lacks to run the emulator, empty if nothing. */
  private static String lacking() {
    if (isLeftOut()) {
      return DRIVER_OF_TESTS + " is real";
    }
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      return "JCuda has no native code for " + system + " that they could use";
    }
    try {
      Process compiler =
          new ProcessBuilder("g++", "--version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return compiler.waitFor() == 0 ? "" : "g++ does not work";
    } catch (IOException e) {
      return "there is no g++";
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while asking for g++", e);
    }
  }

  private static List<Path> sources(String suffix) throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      return files.filter(f -> f.toString().endsWith(suffix)).sorted().toList();
    }
  }

  private static String hash() throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((FLAGS + System.getProperty("java.home")).getBytes("UTF-8"));
      for (Path file : sources("")) {
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void compile() throws IOException {
    List<Path> sources = sources(".cpp");
    List<Process> running = new ArrayList<>();
    int atOnce = Math.max(1, Runtime.getRuntime().availableProcessors());
    List<String> driver = new ArrayList<>();
    List<String> cublas = new ArrayList<>();
    for (Path source : sources) {
      String object = FOLDER.resolve(source.getFileName() + ".o").toString();
      (source.getFileName().toString().contains("cublas") ? cublas : driver).add(object);
      if (running.size() == atOnce) {
        await(running.remove(0));
      }
      List<String> command = new ArrayList<>(List.of("g++"));
      command.addAll(FLAGS);
      Path include = Path.of(System.getProperty("java.home"), "include");
      command.add("-I" + include);
      command.add("-I" + include.resolve("linux"));
      command.addAll(List.of("-c", source.toString(), "-o", object));
      running.add(start(command));
    }
    for (Process process : running) {
      await(process);
    }
    link(DRIVER, driver, List.of("-lpthread"));
    link(
        CUBLAS,
        cublas,
        List.of(
            "-Wl,--version-script=" + SOURCES.resolve("cublas.map"),
            "-Wl,-rpath,$ORIGIN",
            "-L" + FOLDER,
            "-l:" + DRIVER));
  }

  private static void link(String name, List<String> objects, List<String> options)
      throws IOException {
    Path made = FOLDER.resolve(name + ".new");
    List<String> command =
        new ArrayList<>(
            List.of("g++", "-shared", "-Wl,-soname," + name, "-Wl,-z,defs", "-o", made.toString()));
    command.addAll(objects);
    command.addAll(options);
    await(start(command));
    Files.move(made, FOLDER.resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  private static Process start(List<String> command) throws IOException {
    return new ProcessBuilder(command).inheritIO().start();
  }

  private static void await(Process process) {
    try {
      if (process.waitFor() != 0) {
        throw new IllegalStateException("g++ refused the emulator's sources; its words are above");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while g++ ran", e);
    }
  }
}
