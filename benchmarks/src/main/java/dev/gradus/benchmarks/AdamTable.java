package dev.gradus.benchmarks;

import java.util.Arrays;

/**
 * Shapes of parameters, and the number of groups that they stand in. Only what makes sense is here.
 */
public enum AdamTable {
  /** One tensor of 33,554,432. */
  ONE_33M_IN_1(Shapes.ONE, 1),
  /** One tensor of 1,000,000: what a thousand of 1,000 are compared with. */
  ONE_1M_IN_1(Shapes.ONE_MILLION, 1),
  /** A thousand tensors of 1,000. */
  THOUSAND_IN_1(Shapes.THOUSAND, 1),
  /** A thousand tensors of 1,000. */
  THOUSAND_IN_8(Shapes.THOUSAND, 8),
  /** A thousand tensors of 1,000. */
  THOUSAND_IN_64(Shapes.THOUSAND, 64),
  /** A thousand tensors of 1,000. */
  THOUSAND_IN_465(Shapes.THOUSAND, 465),
  /** 465 tensors of 64. */
  SMALL_IN_1(Shapes.SMALL, 1),
  /** 465 tensors of 64. */
  SMALL_IN_8(Shapes.SMALL, 8),
  /** 465 tensors of 64. */
  SMALL_IN_64(Shapes.SMALL, 64),
  /** 465 tensors of 64, each in a group of its own. */
  SMALL_IN_465(Shapes.SMALL, 465),
  /** A small GPT. */
  GPT_IN_1(Shapes.GPT, 1),
  /** A small GPT. */
  GPT_IN_8(Shapes.GPT, 8),
  /** A small GPT. */
  GPT_IN_64(Shapes.GPT, 64);

  private enum Shapes {
    ONE,
    ONE_MILLION,
    THOUSAND,
    SMALL,
    GPT;

    int[] sizes() {
      return switch (this) {
        case ONE -> repeat(1, 1 << 25);
        case ONE_MILLION -> repeat(1, 1_000_000);
        case THOUSAND -> repeat(1_000, 1_000);
        case SMALL -> repeat(465, 64);
        case GPT -> gpt();
      };
    }

    private static int[] repeat(int count, int size) {
      int[] sizes = new int[count];
      Arrays.fill(sizes, size);
      return sizes;
    }

    /** 74 tensors, 6,300,864 values: 1,000 tokens, 64 positions, 6 blocks of width 288. */
    private static int[] gpt() {
      int d = 288;
      int[] block = {d, d, 3 * d * d, 3 * d, d * d, d, d, d, 4 * d * d, 4 * d, 4 * d * d, d};
      int[] sizes = new int[2 + 6 * block.length];
      sizes[0] = 1_000 * d;
      sizes[1] = 64 * d;
      for (int i = 0; i < 6; i++) {
        System.arraycopy(block, 0, sizes, 2 + i * block.length, block.length);
      }
      return sizes;
    }
  }

  private final Shapes shapes;
  private final int groups;

  AdamTable(Shapes shapes, int groups) {
    this.shapes = shapes;
    this.groups = groups;
  }

  /** The number of values of each tensor. */
  int[] sizes() {
    return shapes.sizes();
  }

  /** The number of groups. */
  int groups() {
    return groups;
  }

  /** The group of a tensor: neighbours share one. */
  int groupOf(int tensor, int tensors) {
    return (int) ((long) tensor * groups / tensors);
  }

  /** All values of all tensors. */
  long parameters() {
    return Arrays.stream(sizes()).asLongStream().sum();
  }
}
