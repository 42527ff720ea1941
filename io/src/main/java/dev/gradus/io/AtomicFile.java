package dev.gradus.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
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

  private AtomicFile() {}

  /**
   * Writes to a temporary file beside the target ({@code .NAME.….tmp}), makes it durable, and
   * renames it. When that fails the target is as before and the temporary file is deleted; a
   * process that is killed leaves it.
   */
  static void write(String who, Path target, Content content) throws IOException {
    Path file = target.toAbsolutePath();
    Path folder = file.getParent();
    Path name = file.getFileName();
    if (folder == null || name == null || Files.isDirectory(file)) {
      throw new IOException(who + ": " + target + " is a folder; name the file to write in it");
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
    } finally {
      Files.deleteIfExists(temporary);
    }
    makeDurable(folder);
  }

  /** The rename itself survives a loss of power only when the folder is on the disk too. */
  private static void makeDurable(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Some systems open no folders; the file is whole in any case, only the moment is open.
      System.getLogger("dev.gradus")
          .log(System.Logger.Level.DEBUG, () -> "no fsync of folder " + folder + ": " + e);
    }
  }
}
