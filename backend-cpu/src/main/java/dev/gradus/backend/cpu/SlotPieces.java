package dev.gradus.backend.cpu;

/**
 * The slots of a batched update as one list of pieces, and the pieces in groups of like work. A
 * large slot is cut into many pieces, small ones share a group.
 */
final class SlotPieces {
  /** Elements of a piece, and of a group of pieces, at most (a piece) and about (a group). */
  private static final int PIECE = 1 << 16;

  private final int[] slot;
  private final int[] lo;
  private final int[] hi;
  private final int[] group;
  private final long total;

  /** What updates a part of a slot. */
  interface Update {
    void run(int slot, int lo, int hi);
  }

  /** Pieces of slots with these numbers of elements. */
  SlotPieces(int[] numel) {
    int count = 0;
    for (int n : numel) {
      count += pieces(n);
    }
    slot = new int[count];
    lo = new int[count];
    hi = new int[count];
    int[] starts = new int[count + 1];
    int groups = 0;
    int at = 0;
    long sum = 0;
    long inGroup = PIECE;
    for (int s = 0; s < numel.length; s++) {
      for (int p = 0; p < pieces(numel[s]); p++) {
        slot[at] = s;
        lo[at] = p * PIECE;
        hi[at] = (int) Math.min(numel[s], (p + 1L) * PIECE);
        int size = hi[at] - lo[at];
        if (inGroup + size > PIECE) {
          starts[groups++] = at;
          inGroup = 0;
        }
        inGroup += size;
        sum += size;
        at++;
      }
    }
    starts[groups] = count;
    group = java.util.Arrays.copyOf(starts, groups + 1);
    total = sum;
  }

  private static int pieces(int n) {
    return (int) (((long) n + PIECE - 1) / PIECE);
  }

  /** Updates every piece, on several threads where that pays. */
  void run(Parallel parallel, Update update) {
    if (parallel.splits(total)) {
      parallel.run(group.length - 1, g -> pieces(update, group[g], group[g + 1]));
    } else {
      pieces(update, 0, slot.length);
    }
  }

  private void pieces(Update update, int from, int to) {
    for (int i = from; i < to; i++) {
      update.run(slot[i], lo[i], hi[i]);
    }
  }
}
