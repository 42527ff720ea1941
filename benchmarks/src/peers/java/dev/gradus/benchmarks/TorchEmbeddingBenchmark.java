package dev.gradus.benchmarks;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The embedding's lookup and training step on libtorch, with its fused Adam.
 *
 * <p>{@code ./gradus bench --peers --filter TorchEmbeddingBenchmark}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TorchEmbeddingBenchmark {
  private static final int ROWS = EmbeddingBenchmark.ROWS;
  private static final int WIDTH = EmbeddingBenchmark.WIDTH;

  /** The work. */
  @Param({"LOOKUP", "DENSE_STEP"})
  public EmbeddingBenchmark.Work work = EmbeddingBenchmark.Work.LOOKUP;

  private Tensor table;
  private Tensor ids;
  private Tensor grad;
  private TorchFusedAdam adam;

  /** Makes table, ids and optimizer; a lookup and a step are verified. */
  @Setup
  public void prepare() {
    Torch.open();
    float[] weight = Numbers.uniform(ROWS * WIDTH, 3, -1, 1);
    long[] drawn = Numbers.ids(EmbeddingBenchmark.BATCH, 1, ROWS);
    table = Torch.tensor(weight, ROWS, WIDTH);
    ids = Torch.tensor(drawn);
    grad = torch.ones(EmbeddingBenchmark.BATCH, WIDTH);
    float[] rows = Torch.values(torch.embedding(table, ids));
    Verify.close("lookup", rows, i -> weight[(int) drawn[i / WIDTH] * WIDTH + i % WIDTH], 0);
    adam = new TorchFusedAdam(AdamVariant.ADAM);
    if (work != EmbeddingBenchmark.Work.LOOKUP) {
      table.set_requires_grad(true);
      adam.group(List.of(table), AdamVariant.LR);
      step();
      EmbeddingBenchmark.verifyStep(work, drawn, weight, Torch.values(table), AdamVariant.LR);
    }
  }

  /** The work, once. */
  @Benchmark
  public void run() {
    switch (work) {
      case LOOKUP -> torch.embedding(table, ids).close();
      case DENSE_STEP, SPARSE_STEP -> step();
    }
  }

  @SuppressWarnings("try") // the scope is open for its effect
  private void step() {
    try (PointerScope scope = new PointerScope()) {
      adam.zeroGrad();
      torch
          .embedding(table, ids)
          .backward(grad, new BoolOptional(), false, new TensorArrayRefOptional());
      adam.stepAfterBackward();
    }
  }
}
