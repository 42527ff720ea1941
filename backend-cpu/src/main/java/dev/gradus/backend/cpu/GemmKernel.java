package dev.gradus.backend.cpu;

/** The innermost loop of a product: a small block of C that stays in registers. */
interface GemmKernel {
  /** Rows of the block. */
  int rows();

  /** Columns of the block. */
  int columns();

  /**
   * Computes a block of C, or adds to it.
   *
   * @param ars from row to row of A
   * @param acs from column to column of A
   * @param brs from row to row of B, whose columns lie side by side
   * @param depth the inner size
   * @param crs from row to row of C, whose columns lie side by side
   */
  void run(
      float[] a,
      int aAt,
      int ars,
      int acs,
      float[] b,
      int bAt,
      int brs,
      int depth,
      float[] c,
      int cAt,
      int crs,
      boolean add);
}
