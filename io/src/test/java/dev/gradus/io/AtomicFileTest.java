package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AtomicFileTest {
  @TempDir Path folder;

  private static void write(Path file, String text) throws IOException {
    AtomicFile.write(
        "save",
        file,
        channel -> channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
  }

  private static String refused(Class<? extends IOException> type, Path file) {
    return assertThrows(type, () -> write(file, "new")).getMessage();
  }

  @Test
  void aSymbolicLinkStaysAndWhatItLeadsToIsMadeOrReplaced() throws IOException {
    Path models = Files.createDirectory(folder.resolve("models"));
    Path target = models.resolve("v1");
    Path second = Files.createSymbolicLink(models.resolve("latest"), target.getFileName());
    Path first = Files.createSymbolicLink(folder.resolve("link"), Path.of("models/latest"));
    for (String text : List.of("made", "replaced")) {
      write(first, text);
      assertTrue(Files.isSymbolicLink(first) && Files.isSymbolicLink(second));
      assertTrue(Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS));
      assertEquals(text, Files.readString(target));
    }
    try (Stream<Path> left = Files.list(models)) {
      assertEquals(List.of(second, target), left.sorted().toList());
    }
  }

  private static Arguments failure(IOException cause, String words) {
    return Arguments.of(cause, words);
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        failure(new IOException("No space left on device"), "No space left on device"),
        failure(
            new FileSystemException("f", null, "Read-only file system"), "Read-only file system"),
        failure(new AccessDeniedException("f"), "making files in FOLDER is not permitted"),
        failure(new ClosedByInterruptException(), "the thread was interrupted"),
        failure(new EOFException(), "java.io.EOFException"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aFailureNamesTheFileAndTheReason(IOException cause, String words) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "old");
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    "save",
                    file,
                    channel -> {
                      channel.write(ByteBuffer.allocate(3));
                      throw cause;
                    }));
    assertEquals(
        "save: "
            + file
            + " could not be written: "
            + words.replace("FOLDER", folder.toString())
            + "; nothing changed",
        e.getMessage());
    assertSame(cause, e.getCause());
    assertEquals("old", Files.readString(file));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  @Test
  void aPipeIsNotReplaced() throws Exception {
    Path pipe = folder.resolve("pipe");
    assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "no mkfifo");
    assertEquals(
        "save: " + pipe + " is a pipe or a device; name a file, and copy it there",
        refused(IOException.class, pipe));
    assertFalse(Files.isRegularFile(pipe));
  }

  @Test
  void aNameThatIsTooLongIsToldWithoutThatOfTheTemporaryFile() {
    Path file = folder.resolve("x".repeat(250));
    assertEquals(
        "save: " + file + " could not be written: File name too long; nothing changed",
        refused(IOException.class, file));
  }

  @Test
  void aFailureBehindALinkLeavesLinkAndFile() throws IOException {
    Path target = Files.writeString(folder.resolve("file"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    assertThrows(
        IOException.class,
        () ->
            AtomicFile.write(
                "save",
                link,
                channel -> {
                  throw new IOException("disk full");
                }));
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("old", Files.readString(target));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(target, link), left.sorted().toList());
    }
  }

  @Test
  void linksThatLeadNowhereAreRefused() throws IOException {
    Path circle = folder.resolve("circle");
    Files.createSymbolicLink(circle, circle);
    assertEquals(
        "save: "
            + circle
            + " is a symbolic link that leads back to itself, or through more than 40 others; name"
            + " the file itself",
        refused(IOException.class, circle));
    Path lost = Files.createSymbolicLink(folder.resolve("lost"), Path.of("no/such"));
    String text = refused(NoSuchFileException.class, lost);
    assertTrue(text.contains("there is no folder " + folder.resolve("no")), text);
    Path toFolder = Files.createSymbolicLink(folder.resolve("here"), folder);
    assertEquals(
        "save: " + toFolder + " is a folder; name the file to write in it",
        refused(IOException.class, toFolder));
  }
}
