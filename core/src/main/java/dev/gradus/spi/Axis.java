package dev.gradus.spi;

/**
 * A storage seen as {@code [outer, length, inner]}, whose middle is reduced, looked up or scattered
 * into.
 *
 * @param outer the product of the dimensions before the one concerned
 * @param length the size of the dimension concerned
 * @param inner the product of the dimensions after it
 */
public record Axis(long outer, long length, long inner) {

  /** The number of elements of the whole. */
  public long numel() {
    return outer * length * inner;
  }

  /** The number of elements that are left when the middle is reduced. */
  public long reduced() {
    return outer * inner;
  }
}
