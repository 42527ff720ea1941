package dev.gradus.backend.cpu;

/**
 * Computes tiles of a float32 product in Java. Every element is computed by one rule, whatever the
 * implementation, the tiles and the threads: for each block of {@link #DEPTH} inner indices, s =
 * fma(a, b, s) from 0 upwards in k; the blocks' sums are added in order. So tiles are free, and
 * bits depend on the inner size alone.
 */
interface GemmTile {
  /** Inner indices whose products are summed before they are added to C. */
  int DEPTH = 256;

  /** Rows of a tile at most. */
  int rows();

  /** Columns of a tile at most. */
  int columns();

  /**
   * Computes rows i0 to i1 of columns j0 to j1, of the product of a batch whose matrices start at
   * these places.
   */
  void run(
      GemmOperands o,
      int aAt,
      int bAt,
      int cAt,
      int i0,
      int i1,
      int j0,
      int j1,
      boolean accumulate);
}
