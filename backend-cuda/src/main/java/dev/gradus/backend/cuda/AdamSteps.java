package dev.gradus.backend.cuda;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Gradient;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Batched Adam: {@code adam.cu}. */
final class AdamSteps implements AdamPlan {
  /** The kernel's numbers: seven, and the flags. */
  private static final int NUMBERS = 8;

  private static final int MAXIMIZES = 1;
  private static final int ADDS_DECAY = 2;

  private final Batch<AdamHyper> batch;

  AdamSteps(CudaDevice device, Transfers transfers, List<AdamSlot> slots) {
    List<Batch.Slot> all = new ArrayList<>();
    for (AdamSlot s : slots) {
      all.add(slot(s));
    }
    this.batch = new Batch<>(device, transfers, all, new Numbers());
  }

  private static Batch.Slot slot(AdamSlot s) {
    DType dtype = Batch.floating("adam", s.param());
    Gradient grad = s.grad();
    if (grad instanceof Gradient.Rows rows) {
      return new Batch.Slot(
          Batch.Form.of("adam", dtype, true),
          rows.values().numel(),
          List.of(s.param(), rows.values(), s.expAvg(), s.expAvgSq(), rows.ids()),
          rows.cols());
    }
    return new Batch.Slot(
        Batch.Form.of("adam", dtype, false),
        s.param().numel(),
        Arrays.asList(s.param(), grad.values(), s.expAvg(), s.expAvgSq(), s.maxExpAvgSq()),
        0);
  }

  private static final class Numbers implements Batch.Numbers<AdamHyper> {
    @Override
    public int bytes(Batch.Form form, List<AdamHyper> hypers) {
      return NUMBERS * form.dtype().bytes();
    }

    @Override
    public void write(AdamHyper h, Batch.Form form, ByteBuffer to) {
      boolean decays = h.weightDecay() != 0;
      boolean adds = decays && !h.decoupled();
      double root = Math.sqrt(h.biasCorrection2());
      double step =
          form.rows() ? h.lr() * root / h.biasCorrection1() : h.lr() / h.biasCorrection1();
      double[] all = {
        adds ? h.weightDecay() : decays ? 1 - h.lr() * h.weightDecay() : 1,
        1 - h.beta1(),
        h.beta2(),
        1 - h.beta2(),
        root,
        h.eps(),
        -step,
        (h.maximize() ? MAXIMIZES : 0) + (adds ? ADDS_DECAY : 0)
      };
      for (double x : all) {
        Batch.put(to, form.dtype(), x);
      }
    }
  }

  @Override
  public void step(int[] hyperOfSlot, List<AdamHyper> hypers) {
    batch.step(hyperOfSlot, hypers, CudaDevice.THREADS, 0);
  }

  @Override
  public void close() {
    batch.close();
  }
}
