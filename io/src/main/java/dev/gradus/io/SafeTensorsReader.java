package dev.gradus.io;

import dev.gradus.nn.Module;
import dev.gradus.nn.Strictness;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An open safetensors file: what is in it, and its tensors one by one. Its header was read and
 * checked; data is read when it is asked for, in parts of at most 1 MiB, straight to the device.
 * Not for several threads at once: each opens its own.
 */
public final class SafeTensorsReader implements Closeable {
  private final Path file;
  private final FileChannel channel;
  private final Header header;
  private @Nullable Parts parts;

  private SafeTensorsReader(Path file, FileChannel channel, Header header) {
    this.file = file;
    this.channel = channel;
    this.header = header;
  }

  static SafeTensorsReader open(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(
          file.toString(), null, "SafeTensors.open: there is no such file; check the path");
    }
    if (Files.isDirectory(file)) {
      throw new IOException(
          "SafeTensors.open: " + file + " is a folder; name the safetensors file in it");
    }
    if (!Files.isRegularFile(file)) {
      // To open a pipe would wait for whoever writes to it.
      throw new IOException(
          "SafeTensors.open: " + file + " is a pipe or a device; copy its content to a file");
    }
    if (!Files.isReadable(file)) {
      throw new AccessDeniedException(
          file.toString(), null, "SafeTensors.open: reading it is not permitted");
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    boolean opened = false;
    try {
      SafeTensorsReader reader =
          new SafeTensorsReader(file, channel, HeaderParser.parse(file, channel));
      opened = true;
      return reader;
    } finally {
      if (!opened) {
        channel.close();
      }
    }
  }

  // ---- what is in it

  /** The names of the tensors, in the order of the header, without aliases. */
  public List<String> names() {
    return List.copyOf(header.entries().keySet());
  }

  /** Other names of tied tensors, each with the name under which the data stands. */
  public Map<String, String> aliases() {
    return header.aliases();
  }

  /** The texts that were saved with the tensors. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** Whether there is a tensor with this name, or alias. */
  public boolean contains(String name) {
    return header.entries().containsKey(name) || header.aliases().containsKey(name);
  }

  /**
   * The shape of a tensor.
   *
   * @throws IllegalArgumentException if there is no such name
   */
  public Shape shape(String name) {
    return entry(name).shape();
  }

  /**
   * The type of the tensor that {@link #read} gives: float32 for what is stored as F32, F16 or
   * BF16, else the type that is stored.
   *
   * @throws IllegalArgumentException if there is no such name
   * @throws UnsupportedOperationException if it is stored in a type that cannot be read
   */
  public DType dtype(String name) {
    return readAs(entry(name));
  }

  /**
   * The type that a tensor is stored in, by the format's name: {@code F32}, {@code BF16}, {@code
   * U8}.
   *
   * @throws IllegalArgumentException if there is no such name
   */
  public String storedType(String name) {
    return entry(name).type().name();
  }

  /** The names of the tensors, then the aliases. */
  List<String> allNames() {
    List<String> names = new ArrayList<>(header.entries().keySet());
    names.addAll(header.aliases().keySet());
    return names;
  }

  TensorEntry entry(String name) {
    TensorEntry e = header.entries().get(header.aliases().getOrDefault(name, name));
    if (e == null) {
      throw new IllegalArgumentException(
          file
              + ": there is no tensor "
              + Names.quote(name)
              + "; there are "
              + Names.list(header.entries().keySet()));
    }
    return e;
  }

  private DType readAs(TensorEntry e) {
    DType dtype = e.type().readAs();
    if (dtype == null) {
      throw new UnsupportedOperationException(
          file
              + ": tensor "
              + Names.quote(e.name())
              + " is stored as "
              + e.type()
              + ", which cannot be read; convert it to F32, F64, I64 or BOOL (F16 and BF16 are read"
              + " as F32)");
    }
    return dtype;
  }

  // ---- reading

  /**
   * A tensor with the values of one in the file, born into the scope that is open on this thread.
   *
   * @param name its name, or an alias
   * @throws IllegalArgumentException if there is no such name
   * @throws UnsupportedOperationException if it is stored in a type that cannot be read
   */
  public Tensor read(String name, Device device) throws IOException {
    TensorEntry e = entry(name);
    DType dtype = readAs(e);
    requireOpen();
    checkTruths(e);
    Tensor t = device.zeros(dtype, e.shape().toArray());
    boolean filled = false;
    try {
      fill(e, t);
      filled = true;
    } finally {
      if (!filled) {
        t.close();
      }
    }
    return t;
  }

  /**
   * Overwrites a tensor with the values of one in the file, outside of autograd.
   *
   * @param name its name, or an alias
   * @param target of the same shape and of the type {@link #dtype}; not one that was computed from
   *     tensors that require a gradient
   * @throws IllegalArgumentException if there is no such name, or shape or type differ; nothing is
   *     changed then
   * @throws IOException if reading fails; the target's values are undefined then
   */
  public void readInto(String name, Tensor target) throws IOException {
    TensorEntry e = entry(name);
    readAs(e);
    requireOpen();
    String problem = problem(e, target);
    if (problem != null) {
      throw new IllegalArgumentException(
          "SafeTensors.readInto: " + file + ": " + Names.quote(name) + " " + problem);
    }
    target.storage();
    checkTruths(e);
    fill(e, target);
  }

  /**
   * Overwrites tensors with those of the file, which has exactly their names, shapes and types.
   * Values go from the file to the device in parts of at most 1 MiB, outside of autograd.
   *
   * <p>Of names of the same memory one suffices in the file. Where the file has several of them
   * with data of their own, that is a problem too: only one could be kept.
   *
   * @param targets the tensors to overwrite, by name
   * @throws IllegalArgumentException if names, shapes or types differ; the text lists every
   *     difference, and nothing was changed
   * @throws MalformedFileException if the file breaks a rule of the format; nothing was changed
   * @throws IOException if reading fails; values may have been changed
   */
  public void loadInto(Map<String, ? extends Tensor> targets) throws IOException {
    requireOpen();
    LoadPlan plan = LoadPlan.of(this, "", targets);
    Map<String, List<String>> problems = plan.problems(Strictness.STRICT);
    if (!problems.isEmpty()) {
      throw doesNotFit(problems);
    }
    check(plan);
    fill(plan);
  }

  private IllegalArgumentException doesNotFit(Map<String, List<String>> problems) {
    StringBuilder s = new StringBuilder("SafeTensors.loadInto: ");
    s.append(file).append(" does not fit; nothing was changed");
    problems.forEach(
        (what, list) -> {
          s.append("\n  ").append(what).append(":");
          list.forEach(p -> s.append("\n    ").append(p));
        });
    s.append("\n  ")
        .append(
            metadata().containsKey(CheckpointHeader.KEY)
                ? "the file is a checkpoint: new Checkpoint().model(model).load(file,"
                    + " Strictness.LENIENT) takes its model alone"
                : "read what fits one by one: SafeTensors.open(file).readInto(name, tensor)");
    return new IllegalArgumentException(s.toString());
  }

  /** Refuses entries with values that no tensor can have. */
  void check(LoadPlan plan) throws IOException {
    for (TensorEntry e : plan.entries().values()) {
      checkTruths(e);
    }
  }

  /** Overwrites the tensors of a plan. */
  void fill(LoadPlan plan) throws IOException {
    for (Map.Entry<Tensor, TensorEntry> e : plan.entries().entrySet()) {
      fill(e.getValue(), e.getKey());
    }
  }

  /** Overwrites all parameters and buffers of a module, as {@link #loadInto(Map)}. */
  public void loadInto(Module module) throws IOException {
    loadInto(module.stateDict());
  }

  /** Why an entry cannot be read into a tensor; null if it can. */
  static @Nullable String problem(TensorEntry e, Tensor target) {
    if (e.type().readAs() == null) {
      return "is stored as " + e.type() + ", which cannot be read";
    }
    if (e.type().readAs() != target.dtype()) {
      return "is "
          + e.type().readAs().label()
          + " in the file and "
          + target.dtype().label()
          + " here; convert with to(dtype)";
    }
    if (!e.shape().equals(target.shape())) {
      return "is " + e.shape() + " in the file and " + target.shape() + " here";
    }
    if (target.requiresGrad() && !target.isLeaf()) {
      return "would overwrite a computed tensor that requires a gradient; read into a leaf";
    }
    return null;
  }

  /**
   * Refuses a bool tensor with bytes that are neither true nor false, before anything is written.
   */
  void checkTruths(TensorEntry e) throws IOException {
    if (e.type() != ElementType.BOOL) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(e.end() - e.begin(), Parts.ELEMENTS));
    for (long at = 0; at < e.end() - e.begin(); at += bytes.limit()) {
      bytes.clear().limit((int) Math.min(e.end() - e.begin() - at, bytes.capacity()));
      readFully(e, bytes, at);
      for (int i = 0; i < bytes.limit(); i++) {
        if ((bytes.get(i) & ~1) != 0) {
          throw new MalformedFileException(
              file,
              "tensor "
                  + Names.quote(e.name())
                  + ": element "
                  + (at + i)
                  + " is "
                  + (bytes.get(i) & 0xff)
                  + "; a BOOL is 0 or 1");
        }
      }
    }
  }

  /** Overwrites a tensor that fits. */
  @SuppressWarnings("try") // the block is open for its effect
  void fill(TensorEntry e, Tensor target) throws IOException {
    try (NoGrad off = NoGrad.open()) {
      switch (e.type()) {
        case F16, BF16 -> fillWidened(e, target);
        default -> {
          long width = target.dtype().bytes();
          parts().upload(target, (part, at) -> readFully(e, part, at * width));
        }
      }
    }
  }

  private void fillWidened(TensorEntry e, Tensor target) throws IOException {
    int most = (int) Math.min(target.numel(), Parts.ELEMENTS);
    ByteBuffer raw = ByteBuffer.allocate(most * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    boolean brain = e.type() == ElementType.BF16;
    parts()
        .upload(
            target,
            (part, at) -> {
              FloatBuffer floats = part.asFloatBuffer();
              raw.clear().limit(floats.limit() * Short.BYTES);
              readFully(e, raw, at * Short.BYTES);
              ShortBuffer halves = raw.rewind().asShortBuffer();
              for (int i = 0; i < floats.limit(); i++) {
                short h = halves.get(i);
                floats.put(i, brain ? ElementType.fromBf16(h) : ElementType.fromF16(h));
              }
            });
  }

  private Parts parts() {
    Parts p = parts;
    if (p == null) {
      long most = 0;
      for (TensorEntry e : header.entries().values()) {
        most = Math.max(most, e.shape().numel());
      }
      p = new Parts(most);
      parts = p;
    }
    return p;
  }

  private void readFully(TensorEntry e, ByteBuffer into, long from) throws IOException {
    long position = header.dataStart() + e.begin() + from;
    while (into.hasRemaining()) {
      int n = channel.read(into, position);
      if (n < 0) {
        throw new MalformedFileException(
            file, "tensor " + Names.quote(e.name()) + ": the file became shorter while open");
      }
      position += n;
    }
  }

  private void requireOpen() {
    if (!channel.isOpen()) {
      throw new IllegalStateException(
          "SafeTensorsReader: " + file + " was closed; open it again to read more");
    }
  }

  /** Closes the file; what was read stays. A second call does nothing. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
