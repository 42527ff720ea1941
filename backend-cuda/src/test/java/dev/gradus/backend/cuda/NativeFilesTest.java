package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeFilesTest {
  private static final String FILE = Platform.LINUX.jcudaFile("JCudaDriver", Cu.JCUDA_VERSION);

  @TempDir private Path cache;

  private static byte[] original() throws IOException {
    try (InputStream in = NativeFilesTest.class.getResourceAsStream("/lib/" + FILE)) {
      return in.readAllBytes();
    }
  }

  @Test
  void aFileIsExtractedWholeAndOnce() throws IOException {
    NativeFiles files = new NativeFiles(cache);
    Path folder = files.extract(FILE);
    assertArrayEquals(original(), Files.readAllBytes(folder.resolve(FILE)));
    var first = Files.getLastModifiedTime(folder.resolve(FILE));
    assertEquals(folder, files.extract(FILE));
    assertEquals(first, Files.getLastModifiedTime(folder.resolve(FILE)));
  }

  @Test
  void aTruncatedFileIsReplaced() throws IOException {
    NativeFiles files = new NativeFiles(cache);
    Path file = files.extract(FILE).resolve(FILE);
    Files.write(file, new byte[7]);
    files.extract(FILE);
    assertArrayEquals(original(), Files.readAllBytes(file));
  }

  @Test
  void manyAtOnceSeeOnlyWholeFiles() throws Exception {
    Callable<byte[]> extract =
        () -> Files.readAllBytes(new NativeFiles(cache).extract(FILE).resolve(FILE));
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      List<Future<byte[]>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        all.add(pool.submit(extract));
      }
      for (Future<byte[]> f : all) {
        assertArrayEquals(original(), f.get());
      }
    } finally {
      pool.shutdownNow();
    }
    try (Stream<Path> left = Files.walk(cache)) {
      assertEquals(1, left.filter(Files::isRegularFile).count(), "no partial files are left");
    }
  }

  @Test
  void aFolderThatCannotBeWrittenIsReplacedByATemporaryOne() throws IOException {
    Path file = Files.createFile(cache.resolve("file"));
    Path folder = new NativeFiles(file).extract(FILE);
    assertNotEquals(cache, folder.getParent());
    assertArrayEquals(original(), Files.readAllBytes(folder.resolve(FILE)));
  }

  @Test
  void aMissingJarIsNamed() {
    NativeFiles files = new NativeFiles(cache);
    IOException e = assertThrows(IOException.class, () -> files.extract("libNone.so"));
    assertEquals("no jar with lib/libNone.so on the class path or module path", e.getMessage());
  }
}
