package dev.gradus.backend.cuda;

import dev.gradus.spi.Pointwise;
import dev.gradus.spi.PointwiseOp;
import dev.gradus.spi.PointwisePlan;
import dev.gradus.spi.PointwiseSlot;
import dev.gradus.spi.PointwiseStep;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Batched pointwise programs: {@code pointwise.cu}. */
final class PointwiseSteps implements PointwisePlan {
  /** Bytes of a value's place for one thread. */
  private static final int PLACE = 16;

  /** Shared memory that a block gets on every device. */
  private static final int SHARED = 48 << 10;

  private static final int MOST_THREADS = 128;
  private static final int LEAST_THREADS = 32;
  private static final int MOST_PLACES = SHARED / PLACE / LEAST_THREADS;

  /** What the bits of a program's loads and stores tell of, which the kernel looks at by fours. */
  private static final int MOST_IN_MEMORY = Integer.SIZE - 4;

  private static final int FIRST_BUFFER = 2;
  private static final int SCALAR = 0x80;
  private static final int MOST_SCALARS = SCALAR;
  private static final int ALIGNMENT = 16;

  private final CudaDevice device;
  private final Transfers transfers;
  private final Batch<PointwiseStep> batch;
  private final int firstRegister;
  private final Map<Pointwise, CudaStorage> programs = new HashMap<>();

  PointwiseSteps(CudaDevice device, Transfers transfers, List<PointwiseSlot> slots) {
    this.device = device;
    this.transfers = transfers;
    List<Batch.Slot> all = new ArrayList<>();
    int buffers = 0;
    for (PointwiseSlot s : slots) {
      DType dtype = Batch.floating("pointwise", s.param());
      List<Storage> storages = new ArrayList<>(List.of(s.param(), s.grad()));
      storages.addAll(s.buffers());
      Batch.Form form = Batch.Form.of("pointwise", dtype, false);
      all.add(new Batch.Slot(form, s.param().numel(), List.copyOf(storages), 0));
      buffers = Math.max(buffers, s.buffers().size());
    }
    this.firstRegister = FIRST_BUFFER + buffers;
    this.batch = new Batch<>(device, transfers, all, new Numbers());
  }

  private final class Numbers implements Batch.Numbers<PointwiseStep> {
    @Override
    public int bytes(Batch.Form form, List<PointwiseStep> steps) {
      int most = steps.stream().mapToInt(s -> s.scalars().size()).max().orElse(0);
      int bytes = Long.BYTES + most * form.dtype().bytes();
      return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    @Override
    public void write(PointwiseStep step, Batch.Form form, ByteBuffer to) {
      to.putLong(program(step.program()).address());
      for (double x : step.scalars()) {
        Batch.put(to, form.dtype(), x);
      }
    }
  }

  @Override
  public void step(int[] stepOfSlot, List<PointwiseStep> steps) {
    int places = 1;
    for (PointwiseStep s : steps) {
      places = Math.max(places, firstRegister + s.program().registers());
      require(s.scalars().size(), MOST_SCALARS, "scalars");
    }
    require(firstRegister, MOST_IN_MEMORY, "storages of a slot");
    require(places, MOST_PLACES, "storages and registers");
    int threads = MOST_THREADS;
    while (places * PLACE * threads > SHARED) {
      threads /= 2;
    }
    batch.step(stepOfSlot, steps, threads, places * PLACE * threads);
  }

  private static void require(int given, int most, String what) {
    if (given > most) {
      throw new UnsupportedOperationException(
          "cuda: pointwise does not take " + given + " " + what + "; at most " + most);
    }
  }

  private CudaStorage program(Pointwise program) {
    return programs.computeIfAbsent(
        program,
        p -> {
          LongBuffer words = LongBuffer.allocate(3 + p.code().size());
          words.put(bits(p.loads())).put(bits(p.stores())).put(p.code().size());
          p.code().forEach(i -> words.put(word(i)));
          CudaStorage s = device.allocate(DType.I64, words.capacity());
          transfers.upload(words.flip(), s);
          return s;
        });
  }

  private long bits(Iterable<Pointwise.Operand> operands) {
    long bits = 0;
    for (Pointwise.Operand x : operands) {
      bits |= 1L << number(x);
    }
    return bits;
  }

  private long word(Pointwise.Instruction i) {
    long word = number(i.op()) | (long) number(i.out()) << 8 | (long) i.in().size() << 40;
    for (int k = 0; k < i.in().size(); k++) {
      word |= (long) number(i.in().get(k)) << (16 + 8 * k);
    }
    return word;
  }

  /** As the kernel numbers operations. */
  private static int number(PointwiseOp op) {
    return switch (op) {
      case COPY -> 0;
      case NEG -> 1;
      case ABS -> 2;
      case SQRT -> 3;
      case SIGN -> 4;
      case ADD -> 5;
      case SUB -> 6;
      case MUL -> 7;
      case DIV -> 8;
      case MAX -> 9;
      case MIN -> 10;
      case FMA -> 11;
      case LERP -> 12;
      case WHERE -> 13;
    };
  }

  private int number(Pointwise.Operand x) {
    return switch (x.kind()) {
      case PARAM -> 0;
      case GRAD -> 1;
      case BUFFER -> FIRST_BUFFER + x.index();
      case REGISTER -> firstRegister + x.index();
      case SCALAR -> SCALAR | x.index();
    };
  }

  @Override
  public void close() {
    batch.close();
    programs.values().forEach(device::free);
    programs.clear();
  }
}
