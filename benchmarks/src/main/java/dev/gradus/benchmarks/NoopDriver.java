package dev.gradus.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A CUDA driver and a cuBLAS that do nothing, compiled where they are needed: {@code noop.c}. */
final class NoopDriver {
  private static final String SOURCE = "noop.c";
  private static final String DRIVER = "libcuda.so.1";
  private static final String CUBLAS = "libcublas.so.12";

  /** All of them take {@code -x c}. */
  private static final List<String> COMPILERS = List.of("gcc", "g++", "cc", "clang");

  private NoopDriver() {}

  /** What this machine lacks to make them; empty if nothing. */
  static String lacking() {
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      return "JCuda has no native code for " + system + " that it could use";
    }
    return compiler().isEmpty() ? "there is no C compiler, of " + COMPILERS : "";
  }

  private static String compiler() {
    for (String name : COMPILERS) {
      if (runs(List.of(name, "--version"))) {
        return name;
      }
    }
    return "";
  }

  /** Compiles both into a folder. */
  static void build(Path folder) throws IOException {
    Path source = folder.resolve(SOURCE);
    try (InputStream in = NoopDriver.class.getResourceAsStream(SOURCE)) {
      if (in == null) {
        throw new IllegalStateException("the jar has no " + SOURCE);
      }
      Files.copy(in, source);
    }
    // JCuda asks for cuBLAS's functions by the version that cuBLAS gives them.
    Path versions = folder.resolve("versions");
    Files.writeString(versions, CUBLAS + " { *; };\n");
    compile(folder, source, DRIVER, List.of());
    compile(folder, source, CUBLAS, List.of("-Wl,--version-script=" + versions));
  }

  private static void compile(Path folder, Path source, String name, List<String> more) {
    List<String> command = new ArrayList<>(List.of(compiler(), "-x", "c", "-O2", "-fPIC"));
    command.addAll(List.of("-shared", "-Wl,-soname," + name, source.toString()));
    command.addAll(List.of("-o", folder.resolve(name).toString()));
    command.addAll(more);
    if (!runs(command)) {
      throw new IllegalStateException("the C compiler refused " + SOURCE + ": " + command);
    }
  }

  private static boolean runs(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean well = process.waitFor() == 0;
      if (!well) {
        System.err.println(said);
      }
      return well;
    } catch (IOException e) {
      return false; // there is no such program
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while " + command.get(0) + " ran", e);
    }
  }
}
