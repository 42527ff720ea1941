package dev.gradus.backend.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where CUDA's libraries are looked for, in this order: the folders of the system property {@code
 * gradus.cuda.lib}; those of the environment's {@code GRADUS_CUDA_LIB}; the linker's own variable;
 * the toolkits that {@code CUDA_HOME} and {@code CUDA_PATH} name; those in {@code /usr/local}, the
 * newest first; a conda environment; what pip installed as {@code nvidia-cublas-cu12}; the system's
 * folders.
 */
final class LibrarySearch {
  /** The system property with folders to search first. */
  static final String PROPERTY = "gradus.cuda.lib";

  private static final String ENVIRONMENT = "GRADUS_CUDA_LIB";

  private static final Pattern NUMBER = Pattern.compile("\\d{1,6}");
  private static final long MINORS = 1_000_000;

  private final Set<Path> folders = new LinkedHashSet<>();
  private final Path root;
  private final Platform platform;
  private final UnaryOperator<@Nullable String> environment;

  /**
   * A search.
   *
   * @param property the folders of the system property; null where it is not set
   * @param environment the environment's variables
   * @param root the root of the file system
   * @param home the user's folder
   */
  LibrarySearch(
      Platform platform,
      @Nullable String property,
      UnaryOperator<@Nullable String> environment,
      Path root,
      Path home) {
    this.platform = platform;
    this.environment = environment;
    this.root = root;
    list(property);
    list(environment.apply(ENVIRONMENT));
    if (platform == Platform.LINUX) {
      list(environment.apply("LD_LIBRARY_PATH"));
      linuxToolkits();
      pip(home.resolve(".local/lib"));
      for (String system :
          List.of(
              "usr/lib/x86_64-linux-gnu",
              "usr/lib64",
              "usr/lib",
              "lib/x86_64-linux-gnu",
              "usr/lib/wsl/lib",
              "run/opengl-driver/lib")) {
        folders.add(root.resolve(system));
      }
    } else {
      variable("CUDA_PATH", "bin");
      variable("CONDA_PREFIX", "Library/bin");
      variable("VIRTUAL_ENV", "Lib/site-packages/nvidia/cublas/bin");
      variable("SystemRoot", "System32");
      list(environment.apply("PATH"));
    }
  }

  /** The search of this process. */
  static LibrarySearch ofProcess(Platform platform) {
    return new LibrarySearch(
        platform,
        System.getProperty(PROPERTY),
        System::getenv,
        Path.of(File.separator),
        Path.of(System.getProperty("user.home", "")));
  }

  private void linuxToolkits() {
    variable("CUDA_HOME", "lib64");
    variable("CUDA_PATH", "lib64");
    Path local = root.resolve("usr/local");
    folders.add(local.resolve("cuda/lib64"));
    for (Path toolkit : newestFirst(local, "cuda-*")) {
      folders.add(toolkit.resolve("lib64"));
    }
    variable("CONDA_PREFIX", "lib");
    String venv = environment.apply("VIRTUAL_ENV");
    if (venv != null) {
      pip(Path.of(venv, "lib"));
    }
    pip(root.resolve("usr/local/lib"));
    pip(root.resolve("usr/lib"));
  }

  private void pip(Path lib) {
    for (Path python : newestFirst(lib, "python3*")) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        folders.add(python.resolve(packages).resolve("nvidia/cublas/lib"));
      }
    }
  }

  private void variable(String name, String below) {
    String value = environment.apply(name);
    if (value != null && !value.isBlank()) {
      list(value + File.separator + below);
    }
  }

  private void list(@Nullable String paths) {
    if (paths == null) {
      return;
    }
    for (String path : paths.split(File.pathSeparator, -1)) {
      if (!path.isBlank() && isPath(path)) {
        folders.add(Path.of(path.strip()).toAbsolutePath());
      }
    }
  }

  private static boolean isPath(String path) {
    try {
      return Path.of(path.strip()).getNameCount() > 0;
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Folders by the numbers in their names, so that 12.10 comes before 12.9. */
  private static List<Path> newestFirst(Path parent, String glob) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(parent, glob)) {
      children.forEach(found::add);
    } catch (IOException e) {
      return List.of();
    }
    found.sort(Comparator.comparingLong(LibrarySearch::version).reversed());
    return found;
  }

  private static long version(Path folder) {
    Matcher number = NUMBER.matcher(folder.getFileName().toString());
    long major = number.find() ? Long.parseLong(number.group()) : 0;
    long minor = number.find() ? Long.parseLong(number.group()) : 0;
    return major * MINORS + minor;
  }

  /** The folders, in the order of the search. */
  Set<Path> folders() {
    return folders;
  }

  /** The first of these folders that has the file; null if none has. */
  @Nullable Path find(String file) {
    for (Path folder : folders) {
      Path path = folder.resolve(file);
      if (Files.isRegularFile(path)) {
        return path;
      }
    }
    return null;
  }

  /** Whether the linker finds a library by itself, because it is in its cache. */
  boolean linkerKnows(String file) {
    if (platform != Platform.LINUX) {
      return false;
    }
    try {
      byte[] cache = Files.readAllBytes(root.resolve("etc/ld.so.cache"));
      return new String(cache, StandardCharsets.ISO_8859_1).contains(file + "\0");
    } catch (IOException e) {
      return false;
    }
  }
}
