package dev.gradus.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/**
 * JCuda's native code outside its jar. JCuda itself writes it into the common temporary folder,
 * where another process may read it half written. Here a file is written under a name of its own
 * and moved to its place, in a folder of the user.
 */
final class NativeFiles {
  private final Path cache;

  /**
   * Files below a folder.
   *
   * @param cache the user's folder for what can be made again
   */
  NativeFiles(Path cache) {
    this.cache = cache;
  }

  /** The files of this user. */
  static NativeFiles ofUser(Platform platform) {
    String home = System.getProperty("user.home", "");
    String variable = platform == Platform.WINDOWS ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
    String cache = System.getenv(variable);
    boolean given = cache != null && !cache.isBlank();
    return new NativeFiles(
        (given ? Path.of(cache) : Path.of(home, ".cache")).resolve("gradus").resolve("jcuda"));
  }

  /**
   * The folder that has this file of JCuda's jars, extracted if it was not there.
   *
   * @throws IOException if the jar is not on the class path or module path, or no folder can be
   *     written
   */
  Path extract(String file) throws IOException {
    // Asked of the loader, since on the module path that jar is another module.
    URL source =
        Objects.requireNonNull(NativeFiles.class.getClassLoader()).getResource("lib/" + file);
    if (source == null) {
      throw new IOException("no jar with lib/" + file + " on the class path or module path");
    }
    URLConnection connection = source.openConnection();
    long size = connection.getContentLengthLong();
    // The jar knows the sum of its content, so that another content goes to another folder.
    String sum =
        connection instanceof JarURLConnection jar
            ? Long.toHexString(jar.getJarEntry().getCrc())
            : Long.toHexString(connection.getLastModified());
    try {
      return extract(connection, cache.resolve(sum), file, size);
    } catch (IOException e) {
      // A home that cannot be written: a folder for this process alone.
      Path own = Files.createTempDirectory("gradus-jcuda");
      own.toFile().deleteOnExit();
      own.resolve(file).toFile().deleteOnExit();
      return extract(source.openConnection(), own, file, size);
    }
  }

  private static Path extract(URLConnection source, Path folder, String file, long size)
      throws IOException {
    Path target = folder.resolve(file);
    if (Files.isRegularFile(target) && Files.size(target) == size) {
      return folder;
    }
    Files.createDirectories(folder);
    if (Files.getFileStore(folder).supportsFileAttributeView("posix")) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    }
    Path part = Files.createTempFile(folder, file, ".part");
    try (InputStream in = source.getInputStream()) {
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      move(part, target);
    } finally {
      Files.deleteIfExists(part);
    }
    return folder;
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw e;
    } catch (IOException e) {
      // Windows does not replace a library that another process has loaded: that one is as good.
      if (!Files.isRegularFile(to)) {
        throw e;
      }
    }
  }
}
