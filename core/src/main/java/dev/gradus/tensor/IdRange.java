package dev.gradus.tensor;

/**
 * The least and the greatest of an id tensor, known since its upload, so that a lookup need not
 * read the ids to refuse one that is out of range.
 *
 * @param min the least id
 * @param max the greatest id
 */
record IdRange(long min, long max) {
  /** The range that holds this and another. */
  IdRange with(IdRange other) {
    return new IdRange(Math.min(min, other.min), Math.max(max, other.max));
  }

  static IdRange of(long[] ids) {
    long min = Long.MAX_VALUE;
    long max = Long.MIN_VALUE;
    for (long id : ids) {
      min = Math.min(min, id);
      max = Math.max(max, id);
    }
    return new IdRange(min, max);
  }
}
