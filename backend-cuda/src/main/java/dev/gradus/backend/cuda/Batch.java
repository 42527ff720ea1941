package dev.gradus.backend.cuda;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The tables and launches of a batched step: {@code batch.cuh}. Where slots lie and how they are
 * cut into pieces is written once. A step writes one table, of which record of numbers each slot
 * takes and of the records, to the same place each time, and launches one kernel for each form of
 * slots, of which there mostly is one.
 *
 * @param <H> what slots share in a step
 */
final class Batch<H> implements AutoCloseable {
  /** Elements of a piece, as the kernels cut. */
  private static final int PIECE = 4096;

  private static final int ALIGNMENT = 64;

  private final CudaDevice device;
  private final Transfers transfers;
  private final Numbers<H> numbers;
  private final List<Slot> slots;
  private final List<Launch> launches = new ArrayList<>();
  private final int[] launchOf;
  private final CudaStorage rows;
  private final int width;
  private @Nullable CudaStorage table;

  /** How each recording launches. */
  private final Map<CudaRecording, Recorded> recorded = new WeakHashMap<>();

  private ByteBuffer host = ByteBuffer.allocate(0);

  /**
   * What slots have in common that one launch updates.
   *
   * @param kernel the kernel's name
   * @param dtype the elements' type
   * @param rows whether only rows are updated
   */
  record Form(String kernel, DType dtype, boolean rows) {
    /** The form of a family, as {@code adam}. */
    static Form of(String family, DType dtype, boolean rows) {
      String middle = rows ? "_rows_" : "_";
      return new Form(family + middle + KernelTable.suffix(dtype), dtype, rows);
    }
  }

  /**
   * What is updated together.
   *
   * @param elements how many there are
   * @param storages where they lie, in the kernel's order; null where there is none
   * @param cols for rows the elements of one, behind the storages; else 0
   */
  record Slot(Form form, long elements, List<@Nullable Storage> storages, long cols) {}

  /** Writes the numbers of a step. */
  interface Numbers<H> {
    /** The bytes of one record, a multiple of 16. */
    int bytes(Form form, List<H> hypers);

    /** Writes a record. */
    void write(H hyper, Form form, ByteBuffer to);
  }

  private record Recorded(CudaStorage table, int whole, int threads, int shared) {}

  /** The slots of one form. */
  private static final class Launch {
    final Form form;
    final Kernel kernel;
    final CudaStorage pieces;
    boolean active;

    Launch(Form form, Kernel kernel, CudaStorage pieces) {
      this.form = form;
      this.kernel = kernel;
      this.pieces = pieces;
    }
  }

  Batch(CudaDevice device, Transfers transfers, List<Slot> slots, Numbers<H> numbers) {
    this.device = device;
    this.transfers = transfers;
    this.numbers = numbers;
    this.slots = slots;
    this.launchOf = new int[slots.size()];
    this.width = 2 + slots.stream().mapToInt(s -> s.storages.size()).max().orElse(0);
    Map<Form, List<Integer>> byForm = new LinkedHashMap<>();
    LongBuffer words = LongBuffer.allocate(width * slots.size());
    for (int i = 0; i < slots.size(); i++) {
      Slot s = slots.get(i);
      byForm.computeIfAbsent(s.form, f -> new ArrayList<>()).add(i);
      launchOf[i] = List.copyOf(byForm.keySet()).indexOf(s.form);
      words.position(width * i);
      words.put(s.elements);
      for (Storage x : s.storages) {
        words.put(x == null ? 0 : CudaStorage.of(x).address());
      }
      words.put(s.cols);
    }
    this.rows = upload(words.rewind());
    try {
      byForm.forEach((form, members) -> launches.add(launch(form, members)));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Launch launch(Form form, List<Integer> members) {
    Kernel kernel = device.kernels().get(form.kernel);
    long count = 0;
    for (int i : members) {
      count += Axes.ceil(slots.get(i).elements, PIECE);
    }
    LongBuffer pieces = LongBuffer.allocate(Math.toIntExact(count));
    for (int i : members) {
      long parts = Axes.ceil(slots.get(i).elements, PIECE);
      for (long part = 0; part < parts; part++) {
        pieces.put(part << Integer.SIZE | i);
      }
    }
    return new Launch(form, kernel, upload(pieces.flip()));
  }

  private CudaStorage upload(LongBuffer words) {
    CudaStorage s = device.allocate(DType.I64, words.remaining());
    try {
      transfers.upload(words, s);
      return s;
    } catch (RuntimeException e) {
      device.free(s);
      throw e;
    }
  }

  /**
   * Updates the slots that take part.
   *
   * @param choice for each slot an index into {@code hypers}, or -1 where it takes no part
   * @param threads of a block
   * @param shared bytes of shared memory of a block
   */
  void step(int[] choice, List<H> hypers, int threads, int shared) {
    try {
      update(choice, hypers, threads, shared);
    } finally {
      Reference.reachabilityFence(slots);
    }
  }

  private void update(int[] choice, List<H> hypers, int threads, int shared) {
    int stride = 0;
    for (Launch l : launches) {
      l.active = false;
      stride = Math.max(stride, numbers.bytes(l.form, hypers));
    }
    int whole = stride * launches.size();
    int records = (slots.size() * Integer.BYTES + ALIGNMENT - 1) & -ALIGNMENT;
    CudaStorage to = table(records + whole * slots.size());
    int[] recordOf = new int[hypers.size()];
    Arrays.fill(recordOf, -1);
    int used = 0;
    for (int i = 0; i < slots.size(); i++) {
      int hyper = choice[i];
      if (hyper >= 0) {
        if (recordOf[hyper] < 0) {
          write(hypers.get(hyper), records + whole * used, stride);
          recordOf[hyper] = used++;
        }
        launches.get(launchOf[i]).active = true;
      }
      host.putInt(i * Integer.BYTES, hyper < 0 ? -1 : recordOf[hyper]);
    }
    if (used == 0) {
      return;
    }
    ByteBuffer numbersNow = host.position(0).limit(records + whole * used);
    CudaRecording r = device.recording();
    if (r == null) {
      transfers.upload(numbersNow, to);
      launch(to, records, stride, threads, shared);
    } else if (r.isMade()) {
      requireSame(r, new Recorded(to, whole, threads, shared));
      transfers.upload(numbersNow, to);
    } else {
      requireFirst(r);
      recorded.put(r, new Recorded(to, whole, threads, shared));
      ByteBuffer copy = ByteBuffer.allocate(numbersNow.remaining()).put(numbersNow).flip();
      r.afterwards(() -> transfers.upload(copy, to));
      launch(to, records, stride, threads, shared);
    }
    host.clear();
  }

  private void requireFirst(CudaRecording by) {
    if (recorded.containsKey(by)) {
      throw new IllegalStateException(
          "cuda: an optimizer makes two steps inside a step that is recorded; make one");
    }
  }

  private void requireSame(CudaRecording by, Recorded now) {
    if (!now.equals(recorded.get(by))) {
      throw new IllegalStateException(
          "cuda: an optimizer's options changed what a recorded step computes; call"
              + " CapturedStep.recordAnew() when you change them");
    }
  }

  private void launch(CudaStorage to, int records, int stride, int threads, int shared) {
    int whole = stride * launches.size();
    for (int k = 0; k < launches.size(); k++) {
      Launch l = launches.get(k);
      long count = l.pieces.numel();
      if (l.active && count > 0) {
        LaunchBlock launch = device.launch().put(0L).put(rows).put(width);
        launch.put(l.pieces).put(count).put(to);
        launch.put(to.address() + records + (long) k * stride).put(whole);
        launch.run(l.kernel, device.blocksFor(count), threads, shared);
      }
    }
  }

  private void write(H hyper, int at, int stride) {
    for (int k = 0; k < launches.size(); k++) {
      numbers.write(hyper, launches.get(k).form, host.position(at + k * stride));
    }
  }

  /** The place of the step's table, which stays where it is as long as it is large enough. */
  private CudaStorage table(int bytes) {
    CudaStorage t = table;
    if (t == null || t.numel() < bytes) {
      if (t != null) {
        device.free(t);
        table = null;
      }
      t = device.allocate(DType.BOOL, bytes);
      table = t;
      host = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }
    return t;
  }

  @Override
  public void close() {
    device.free(rows);
    launches.forEach(l -> device.free(l.pieces));
    if (table != null) {
      device.free(table);
    }
  }

  /** Writes a number, rounded to the type. */
  static void put(ByteBuffer to, DType dtype, double value) {
    if (dtype == DType.F32) {
      to.putFloat((float) value);
    } else {
      to.putDouble(value);
    }
  }

  /** The type of a slot, which has to be a floating one. */
  static DType floating(String family, Storage param) {
    if (!param.dtype().isFloating()) {
      throw KernelTable.unsupported(family, param.dtype());
    }
    return param.dtype();
  }
}
