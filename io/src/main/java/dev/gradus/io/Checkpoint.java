package dev.gradus.io;

import dev.gradus.nn.LoadResult;
import dev.gradus.nn.Module;
import dev.gradus.nn.Strictness;
import dev.gradus.optim.AveragedModel;
import dev.gradus.optim.Optimizer;
import dev.gradus.optim.OptimizerState;
import dev.gradus.optim.StateBuffer;
import dev.gradus.tensor.Generator;
import dev.gradus.tensor.GeneratorState;
import dev.gradus.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The parts of a training, and the way to keep all of them in one file and to go on from it as if
 * the program had never ended.
 *
 * <pre>{@code
 * Generator order = new Generator(seed);           // shuffles the examples
 * Checkpoint training = new Checkpoint()
 *     .model(model)
 *     .optimizer(adam)                             // its groups, rates, moments and schedules
 *     .averages(ema)                               // where there are any
 *     .generator("dropout", device.generator())
 *     .generator("order", order);
 * training.save(file, Notes.at(epoch).with("loss", loss));
 *
 * Notes notes = training.load(file);               // in another process, on any backend
 * }</pre>
 *
 * <p>The parts are those of a program that was built as the one that saved: models of the same
 * names and shapes, optimizers of the same groups with their schedules attached. What computes the
 * same from the same values then gives the same bytes, if after N and N steps or after 2N.
 *
 * <p>The file has the safetensors format; {@link SafeTensors#open} lists the tensors of a model as
 * {@code model.NAME}. It is written and replaced as {@link SafeTensors#save(Path, Map, Map)} does,
 * in parts of at most 1 MiB, as a whole or not at all.
 */
public final class Checkpoint {
  private static final String SAVE = "Checkpoint.save";

  private final Map<String, Module> models = new LinkedHashMap<>();
  private final Map<String, AveragedModel> averages = new LinkedHashMap<>();
  private final Map<String, Optimizer<?>> optimizers = new LinkedHashMap<>();
  private final Map<String, Generator> generators = new LinkedHashMap<>();

  /** A checkpoint without parts. */
  public Checkpoint() {}

  // ---- parts

  /** Adds a model under the name {@code model}. */
  public Checkpoint model(Module model) {
    return model("model", model);
  }

  /**
   * Adds a model: its parameters and buffers.
   *
   * @param name not empty, without dots, new in this checkpoint
   * @throws IllegalArgumentException if the name is refused
   */
  public Checkpoint model(String name, Module model) {
    requireNew(name);
    models.put(name, model);
    return this;
  }

  /** Adds averages of a model under the name {@code averages}. */
  public Checkpoint averages(AveragedModel averages) {
    return averages("averages", averages);
  }

  /**
   * Adds averages of a model, and how many updates they are of. In the file they have the names of
   * {@link AveragedModel#stateDict()}. They fit as a whole or not at all, leniently too.
   *
   * @param name not empty, without dots, new in this checkpoint
   * @throws IllegalArgumentException if the name is refused
   */
  public Checkpoint averages(String name, AveragedModel of) {
    requireNew(name);
    averages.put(name, of);
    return this;
  }

  /** Adds an optimizer under the name {@code optimizer}. */
  public Checkpoint optimizer(Optimizer<?> optimizer) {
    return optimizer("optimizer", optimizer);
  }

  /**
   * Adds an optimizer: options and base rates of its groups, counts and buffers of its parameters,
   * and how far its schedules went.
   *
   * @param name not empty, without dots, new in this checkpoint
   * @throws IllegalArgumentException if the name is refused
   */
  public Checkpoint optimizer(String name, Optimizer<?> optimizer) {
    requireNew(name);
    optimizers.put(name, optimizer);
    return this;
  }

  /**
   * Adds a generator: that of a device, from which dropout comes, or one that shuffles data.
   *
   * @param name not empty, without dots, new in this checkpoint
   * @throws IllegalArgumentException if the name is refused
   */
  public Checkpoint generator(String name, Generator generator) {
    requireNew(name);
    generators.put(name, generator);
    return this;
  }

  private void requireNew(String name) {
    if (name.isEmpty() || name.indexOf('.') >= 0) {
      throw new IllegalArgumentException(
          "checkpoint: a part is named "
              + Names.quote(name)
              + "; a name must not be empty and has no dots");
    }
    if (Stream.of(models, averages, optimizers, generators).anyMatch(m -> m.containsKey(name))) {
      throw new IllegalArgumentException(
          "checkpoint: there are two parts "
              + Names.quote(name)
              + "; give each a name of its own: model(name, model)");
    }
  }

  // ---- saving

  /**
   * Writes the parts as they are now, or replaces the file.
   *
   * @throws IllegalArgumentException if a name cannot stand in a file
   * @throws IllegalStateException if a tensor was released, or averages are in the model
   * @throws IOException if writing fails; the file is then what it was
   */
  public void save(Path file, Notes notes) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    models.forEach(
        (part, model) -> model.stateDict().forEach((n, t) -> tensors.put(part + "." + n, t)));
    averages.forEach(
        (part, of) -> of.liveState().forEach((n, t) -> tensors.put(part + "." + n, t)));
    Map<String, OptimizerState> states = new LinkedHashMap<>();
    optimizers.forEach(
        (part, optimizer) -> {
          OptimizerState state = optimizer.liveState();
          states.put(part, state);
          addBuffers(part, state, tensors);
        });
    Map<String, GeneratorState> positions = new LinkedHashMap<>();
    generators.forEach((part, generator) -> positions.put(part, generator.state()));
    CheckpointHeader header =
        new CheckpointHeader(
            notes, List.copyOf(models.keySet()), List.copyOf(averages.keySet()), states, positions);
    SafeTensors.write(SAVE, file, tensors, Map.of(CheckpointHeader.KEY, header.toJson()));
  }

  private static void addBuffers(String part, OptimizerState state, Map<String, Tensor> tensors) {
    state
        .parameters()
        .forEach(
            (parameter, kept) ->
                kept.buffers()
                    .forEach(
                        (name, buffer) -> {
                          String tensor = CheckpointHeader.tensorName(part, parameter, name);
                          if (tensors.putIfAbsent(tensor, values(buffer)) != null) {
                            throw new IllegalArgumentException(
                                SAVE
                                    + ": two buffers would be named "
                                    + Names.quote(tensor)
                                    + "; rename a parameter");
                          }
                        }));
  }

  private static Tensor values(StateBuffer buffer) {
    if (buffer instanceof StateBuffer.InMemory memory) {
      return memory.values();
    }
    throw new IllegalStateException(SAVE + ": a buffer is not in memory");
  }

  // ---- loading

  /**
   * Puts the parts where they were when the file was written: the file has exactly these parts, and
   * each fits.
   *
   * @return the notes
   * @throws IllegalArgumentException if the file is no checkpoint, or something does not fit: one
   *     text lists every problem, and nothing was changed
   * @throws MalformedFileException if the file is damaged; nothing was changed
   * @throws IOException if reading fails; values may have been changed
   */
  public Notes load(Path file) throws IOException {
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      CheckpointHeader header = CheckpointHeader.read(file, reader);
      load(file, reader, header, Strictness.STRICT);
      return header.notes();
    }
  }

  /**
   * Puts the parts where they were, strictly or as far as names go: leniently, what only one side
   * has is left alone, in models and optimizers too. {@link #notes} reads the notes.
   *
   * @return the names that only one side has, each with its part's name and a dot before it; of
   *     parts that only one side has, the part's name
   * @throws IllegalArgumentException as for {@link #load(Path)}
   * @throws IOException if reading fails; values may have been changed
   */
  public LoadResult load(Path file, Strictness strictness) throws IOException {
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      return load(file, reader, CheckpointHeader.read(file, reader), strictness);
    }
  }

  /**
   * The notes of a checkpoint, without anything else.
   *
   * @throws IllegalArgumentException if the file is no checkpoint
   * @throws IOException if it cannot be read, or is damaged
   */
  public static Notes notes(Path file) throws IOException {
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      return CheckpointHeader.read(file, reader).notes();
    }
  }

  private LoadResult load(
      Path file, SafeTensorsReader reader, CheckpointHeader header, Strictness strictness)
      throws IOException {
    try {
      return new CheckpointLoad(
              models, averages, optimizers, generators, file, reader, header, strictness)
          .run();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
