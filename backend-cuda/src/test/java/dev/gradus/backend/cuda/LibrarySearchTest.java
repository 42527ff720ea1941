package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibrarySearchTest {
  @TempDir private Path root;

  private LibrarySearch search(String property, Map<String, String> environment) {
    return new LibrarySearch(
        Platform.LINUX, property, environment::get, root, root.resolve("home/u"));
  }

  private Path file(String path) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.createFile(file);
  }

  @Test
  void thePropertyIsSearchedFirst() throws IOException {
    Path own = file("own/libcublas.so.12");
    file("usr/local/cuda/lib64/libcublas.so.12");
    LibrarySearch search = search(own.getParent().toString(), Map.of());
    assertEquals(own, search.find("libcublas.so.12"));
  }

  @Test
  void theEnvironmentsFoldersComeInTheirOrder() {
    Map<String, String> environment =
        Map.of(
            "GRADUS_CUDA_LIB", "/g1" + File.pathSeparator + "/g2",
            "LD_LIBRARY_PATH", "/ld",
            "CUDA_HOME", "/home12",
            "CUDA_PATH", "/path12",
            "CONDA_PREFIX", "/conda");
    List<Path> named =
        new ArrayList<>(search("/p", environment).folders())
            .stream().filter(f -> !f.startsWith(root)).toList();
    List<String> expected =
        List.of("/p", "/g1", "/g2", "/ld", "/home12/lib64", "/path12/lib64", "/conda/lib");
    assertEquals(expected.stream().map(Path::of).toList(), named);
  }

  @Test
  void theNewestToolkitIsTakenByItsNumber() throws IOException {
    file("usr/local/cuda-12.9/lib64/libcublas.so.12");
    Path newest = file("usr/local/cuda-12.10/lib64/libcublas.so.12");
    file("usr/local/cuda-12/lib64/libcublas.so.12");
    assertEquals(newest, search(null, Map.of()).find("libcublas.so.12"));
  }

  @Test
  void whatPipInstalledIsFound() throws IOException {
    Path own = file("home/u/.local/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12");
    assertEquals(own, search(null, Map.of()).find("libcublas.so.12"));
    Path env = file("env/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12");
    Map<String, String> active = Map.of("VIRTUAL_ENV", root.resolve("env").toString());
    assertEquals(env, search(null, active).find("libcublas.so.12"));
  }

  @Test
  void blankAndImpossibleFoldersAreLeftOut() {
    LibrarySearch search = search(" " + File.pathSeparator + "a\0b", Map.of());
    assertTrue(search.folders().stream().allMatch(f -> f.startsWith(root)));
    assertNull(search.find("libcuda.so.1"));
  }

  @Test
  void theLinkersCacheIsRead() throws IOException {
    assertFalse(search(null, Map.of()).linkerKnows("libcuda.so.1"));
    byte[] cache =
        "x\0libcuda.so.1\0/opt/driver/libcuda.so.1\0".getBytes(StandardCharsets.US_ASCII);
    Files.write(file("etc/ld.so.cache"), cache);
    assertTrue(search(null, Map.of()).linkerKnows("libcuda.so.1"));
    assertFalse(search(null, Map.of()).linkerKnows("libcublas.so.12"));
  }

  @Test
  void windowsHasFoldersOfItsOwn() {
    LibrarySearch search =
        new LibrarySearch(
            Platform.WINDOWS,
            null,
            Map.of("CUDA_PATH", "/cuda", "PATH", "/bin")::get,
            root,
            root.resolve("home/u"));
    assertEquals(List.of(Path.of("/cuda/bin"), Path.of("/bin")), List.copyOf(search.folders()));
  }
}
