package dev.gradus.io;

import dev.gradus.nn.Module;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Files of named tensors in the safetensors format: eight bytes with the length of the header,
 * little-endian; the header, a JSON object that gives for each tensor its type, shape and place,
 * and texts under {@code __metadata__}; then the data, little-endian. F32, F64, I64 and BOOL are
 * written and read, F16 and BF16 are read as float32.
 *
 * <p>Tensors over the same memory (tied parameters) are written once, under the name that comes
 * first. For each of their other names the metadata has a text {@code gradus.alias.NAME} with that
 * first name; reading restores them.
 *
 * <p>Source: https://github.com/huggingface/safetensors#format.
 */
public final class SafeTensors {
  private SafeTensors() {}

  // ---- writing

  /**
   * Writes tensors to a file, or replaces it.
   *
   * @see #save(Path, Map, Map)
   */
  public static void save(Path file, Map<String, ? extends Tensor> tensors) throws IOException {
    save(file, tensors, Map.of());
  }

  /**
   * Writes tensors and texts to a file, or replaces it. The same tensors and texts give the same
   * bytes. The values go from the device to the file in parts of at most 1 MiB.
   *
   * <p>The file is replaced as a whole, when everything is on the disk: after a failure or a crash
   * at any moment it is what it was. A process that is killed may leave a temporary file {@code
   * .NAME.….tmp} beside it, which can be deleted. A symbolic link stays a link: the file that it
   * leads to is replaced.
   *
   * @param tensors the tensors by name; of names of the same memory the first that the map lists is
   *     the one under which the data stands
   * @param metadata texts to keep with them; no key begins with {@code gradus.alias.}
   * @throws IllegalArgumentException if a name or a text cannot stand in a file
   * @throws IllegalStateException if a tensor was released
   * @throws IOException if writing fails
   */
  public static void save(
      Path file, Map<String, ? extends Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    write("SafeTensors.save", file, tensors, metadata);
  }

  static void write(
      String who, Path file, Map<String, ? extends Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    FileLayout layout = FileLayout.of(who, tensors, metadata);
    long most = 0;
    for (Tensor t : layout.tensors().values()) {
      most = Math.max(most, t.numel());
    }
    Parts parts = new Parts(most);
    AtomicFile.write(
        who,
        file,
        channel -> {
          writeFully(channel, layout.head());
          for (Tensor t : layout.tensors().values()) {
            parts.download(t, (part, at) -> writeFully(channel, part));
          }
        });
  }

  /**
   * Writes all parameters and buffers of a module, tied ones as aliases.
   *
   * @see #save(Path, Map, Map)
   */
  public static void save(Path file, Module module) throws IOException {
    save(file, module.stateDict());
  }

  /**
   * Writes all parameters and buffers of a module, tied ones as aliases, and texts.
   *
   * @param metadata texts to keep with them
   * @see #save(Path, Map, Map)
   */
  public static void save(Path file, Module module, Map<String, String> metadata)
      throws IOException {
    save(file, module.stateDict(), metadata);
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  // ---- reading

  /**
   * An open file; its header was read and checked.
   *
   * @throws MalformedFileException if the file breaks a rule of the format
   * @throws IOException if it cannot be read
   */
  public static SafeTensorsReader open(Path file) throws IOException {
    return SafeTensorsReader.open(file);
  }

  /**
   * All tensors of a file by name, in the order of its header, then the aliases: an alias gives the
   * same tensor as the name it stands for. They are born into the scope that is open on this
   * thread.
   *
   * @throws MalformedFileException if the file breaks a rule of the format
   * @throws UnsupportedOperationException if a tensor is stored in a type that cannot be read;
   *     {@link SafeTensorsReader#read} reads the others
   */
  public static Map<String, Tensor> load(Path file, Device device) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    boolean complete = false;
    try (SafeTensorsReader reader = open(file)) {
      reader.names().forEach(reader::dtype);
      for (String name : reader.names()) {
        tensors.put(name, reader.read(name, device));
      }
      for (Map.Entry<String, String> alias : reader.aliases().entrySet()) {
        Tensor tied = tensors.get(alias.getValue());
        if (tied != null) {
          tensors.put(alias.getKey(), tied);
        }
      }
      complete = true;
    } finally {
      if (!complete) {
        tensors.values().forEach(Tensor::close);
      }
    }
    return tensors;
  }

  /**
   * Overwrites tensors with those of a file; see {@link SafeTensorsReader#loadInto(Map)}.
   *
   * @param targets the tensors to overwrite, by name
   * @throws IllegalArgumentException if names, shapes or types differ; nothing was changed
   * @throws MalformedFileException if the file breaks a rule of the format; nothing was changed
   * @throws IOException if reading fails; values may have been changed
   */
  public static void loadInto(Path file, Map<String, ? extends Tensor> targets) throws IOException {
    try (SafeTensorsReader reader = open(file)) {
      reader.loadInto(targets);
    }
  }

  /** Overwrites all parameters and buffers of a module, as {@link #loadInto(Path, Map)}. */
  public static void loadInto(Path file, Module module) throws IOException {
    loadInto(file, module.stateDict());
  }
}
