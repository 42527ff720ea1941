package dev.gradus.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * A file that is replaced as a whole: whoever reads it, and whoever comes after a crash, finds the
 * old content or the new.
 */
final class AtomicFile {
  /** What writes the content. */
  @FunctionalInterface
  interface Content {
    /** Writes everything, from the channel's position on. */
    void writeTo(FileChannel channel) throws IOException;
  }

  private static final System.Logger LOG = System.getLogger("dev.gradus");

  private AtomicFile() {}

  /** So many links from one to the next are followed, as by Linux. */
  private static final int LINKS = 40;

  /**
   * Writes to a temporary file beside the target ({@code .NAME.….tmp}), makes it durable, and
   * renames it. When that fails the target is as before and the temporary file is deleted; a
   * process that is killed leaves it. The target of a symbolic link is what it leads to.
   */
  static void write(String who, Path target, Content content) throws IOException {
    Path file = behindLinks(who, target);
    Path folder = file.getParent();
    Path name = file.getFileName();
    if (folder == null || name == null || Files.isDirectory(file)) {
      throw new IOException(who + ": " + target + " is a folder; name the file to write in it");
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      // Renaming would put a file in its place.
      throw new IOException(
          who + ": " + target + " is a pipe or a device; name a file, and copy it there");
    }
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(
          target.toString(), null, who + ": there is no folder " + folder + "; create it first");
    }
    Path temporary = folder.resolve("." + name + "." + UUID.randomUUID() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new IOException(
          who + ": " + target + " could not be written: " + reason(folder, e) + "; nothing changed",
          e);
    } finally {
      delete(temporary);
    }
    makeDurable(folder);
  }

  /** Deletes what is there, if anything is: what failed before is what the caller has to know. */
  private static void delete(Path temporary) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> temporary + " was not deleted: " + e);
    }
  }

  /** Why writing failed: the system's own words name the temporary file, or none. */
  private static String reason(Path folder, IOException e) {
    if (e instanceof AccessDeniedException) {
      return "making files in " + folder + " is not permitted";
    }
    if (e instanceof ClosedByInterruptException) {
      return "the thread was interrupted";
    }
    String words = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
    return words == null ? e.toString() : words;
  }

  /** What a path leads to, whether that exists or not: renaming onto a link would replace it. */
  private static Path behindLinks(String who, Path target) throws IOException {
    Path at = target.toAbsolutePath();
    for (int i = 0; i < LINKS; i++) {
      if (!Files.isSymbolicLink(at)) {
        return at;
      }
      at = at.resolveSibling(Files.readSymbolicLink(at));
    }
    throw new IOException(
        who
            + ": "
            + target
            + " is a symbolic link that leads back to itself, or through more than "
            + LINKS
            + " others; name the file itself");
  }

  /** The rename itself survives a loss of power only when the folder is on the disk too. */
  private static void makeDurable(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Some systems open no folders; the file is whole in any case, only the moment is open.
      LOG.log(System.Logger.Level.DEBUG, () -> "no fsync of folder " + folder + ": " + e);
    }
  }
}
