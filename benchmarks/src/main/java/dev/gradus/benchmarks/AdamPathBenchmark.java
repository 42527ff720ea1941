package dev.gradus.benchmarks;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Adam's update below the optimizer: the backend's plans, on CUDA too where a device can be used.
 *
 * <p>{@code ./gradus bench --filter AdamPathBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AdamPathBenchmark {
  /** The backend. */
  @Param public On on = On.CPU;

  /** The path. */
  @Param public AdamPath path = AdamPath.ALL_GROUPS;

  /** The shapes and groups. */
  @Param public AdamTable table = AdamTable.SMALL_IN_8;

  /** The update. */
  @Param public AdamVariant variant = AdamVariant.ADAM;

  private Backend backend;
  private List<AdamPath.Part> parts;
  private List<AdamHyper> hypers = List.of();
  private long bytes;

  /** Makes slots and plans; three steps of them are verified. */
  @Setup
  public void prepare() {
    backend = on.open();
    int[] sizes = table.sizes();
    List<AdamSlot> slots = new ArrayList<>();
    int[] groupOfSlot = new int[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      groupOfSlot[i] = table.groupOf(i, sizes.length);
      slots.add(slot(i, sizes[i]));
    }
    parts = path.prepare(backend, slots, groupOfSlot);
    for (int t = 1; t <= AdamValues.STEPS; t++) {
      hypers = hypers(t);
      step(new Moved());
    }
    for (int i = 0; i < sizes.length; i++) {
      float[] values = new float[sizes[i]];
      backend.download(slots.get(i).param(), FloatBuffer.wrap(values));
      AdamValues.verify(variant, i, values);
    }
    bytes = table.parameters() * variant.bytesPerValue();
  }

  private AdamSlot slot(int i, int size) {
    Storage max = variant.amsgrad() ? zeros(size) : null;
    Storage param = filled(AdamValues.parameters(i, size));
    Storage grad = filled(AdamValues.gradients(i, size));
    return new AdamSlot(param, new Gradient.Dense(grad), zeros(size), zeros(size), max);
  }

  private Storage filled(float[] values) {
    Storage s = backend.allocate(DType.F32, values.length);
    backend.upload(FloatBuffer.wrap(values), s);
    return s;
  }

  private Storage zeros(int size) {
    Storage s = backend.allocate(DType.F32, size);
    backend.fill(s, 0);
    return s;
  }

  private List<AdamHyper> hypers(int t) {
    AdamHyper hyper =
        new AdamHyper(
            AdamVariant.LR,
            AdamVariant.BETA1,
            AdamVariant.BETA2,
            AdamVariant.EPS,
            variant.weightDecay(),
            variant.decoupled(),
            false,
            1 - Math.pow(AdamVariant.BETA1, t),
            1 - Math.pow(AdamVariant.BETA2, t));
    List<AdamHyper> all = new ArrayList<>();
    for (int g = 0; g < table.groups(); g++) {
      all.add(hyper);
    }
    return all;
  }

  /** One update of all groups. */
  @Benchmark
  public void step(Moved moved) {
    for (int i = 0; i < parts.size(); i++) {
      parts.get(i).step(hypers);
    }
    backend.synchronize();
    moved.bytes += bytes;
  }

  /** Closes plans and backend. */
  @TearDown
  public void close() {
    parts.forEach(AdamPath.Part::close);
    backend.close();
  }
}
