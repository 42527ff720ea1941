package dev.gradus.backend.cuda;

import dev.gradus.spi.Gradient;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Batched SGD: {@code sgd.cu}. */
final class SgdSteps implements SgdPlan {
  /** The kernel's numbers: four, and the flags, up to the next record's begin. */
  private static final int NUMBERS = 8;

  private static final int MAXIMIZES = 1;
  private static final int DECAYS = 2;
  private static final int NESTEROV = 4;
  private static final int FIRST = 8;

  private final Batch<SgdHyper> batch;

  SgdSteps(CudaDevice device, Transfers transfers, List<SgdSlot> slots) {
    List<Batch.Slot> all = new ArrayList<>();
    for (SgdSlot s : slots) {
      all.add(slot(s));
    }
    this.batch = new Batch<>(device, transfers, all, new Numbers());
  }

  private static Batch.Slot slot(SgdSlot s) {
    DType dtype = Batch.floating("sgd", s.param());
    Gradient grad = s.grad();
    if (grad instanceof Gradient.Rows rows) {
      return new Batch.Slot(
          Batch.Form.of("sgd", dtype, true),
          rows.values().numel(),
          List.of(s.param(), rows.values(), rows.ids()),
          rows.cols());
    }
    return new Batch.Slot(
        Batch.Form.of("sgd", dtype, false),
        s.param().numel(),
        Arrays.asList(s.param(), grad.values(), s.momentum()),
        0);
  }

  private static final class Numbers implements Batch.Numbers<SgdHyper> {
    @Override
    public int bytes(Batch.Form form, List<SgdHyper> hypers) {
      return NUMBERS * form.dtype().bytes();
    }

    @Override
    public void write(SgdHyper h, Batch.Form form, ByteBuffer to) {
      int flags =
          (h.maximize() ? MAXIMIZES : 0)
              + (h.weightDecay() != 0 ? DECAYS : 0)
              + (h.nesterov() ? NESTEROV : 0)
              + (h.first() ? FIRST : 0);
      double[] all = {
        h.weightDecay(),
        h.momentum(),
        1 - h.dampening(),
        form.rows() && h.maximize() ? h.lr() : -h.lr(),
        flags
      };
      for (double x : all) {
        Batch.put(to, form.dtype(), x);
      }
    }
  }

  @Override
  public void step(int[] hyperOfSlot, List<SgdHyper> hypers) {
    batch.step(hyperOfSlot, hypers, CudaDevice.THREADS, 0);
  }

  @Override
  public void close() {
    batch.close();
  }
}
