package dev.gradus.tensor;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.zip.CRC32;

/**
 * The whole state of a {@link Generator}, as a value: equal states give equal streams.
 *
 * @param seed the seed that the stream was started with
 * @param words the 624 words of MT19937; copied in and out
 * @param position how many of the words are used, 0 to 624
 * @param nextNormal the second normal of a pair, when only the first was taken
 * @param philoxOffset the first Philox counter that is not yet taken
 */
@SuppressWarnings("ArrayRecordComponent") // copied in and out, and compared by content
public record GeneratorState(
    long seed, int[] words, int position, OptionalDouble nextNormal, long philoxOffset) {

  private static final int MAGIC = 0x47524e47; // "GRNG"
  private static final int VERSION = 1;
  private static final int BYTES =
      5 * Integer.BYTES + 3 * Long.BYTES + MersenneTwister.WORDS * Integer.BYTES;

  /**
   * Makes a state from its parts.
   *
   * @throws IllegalArgumentException if the words are not 624 or all zero, the position is outside
   *     [0, 624], or the cached normal is not finite
   */
  public GeneratorState {
    words = words.clone();
    if (words.length != MersenneTwister.WORDS) {
      throw new IllegalArgumentException(
          "generator state: has " + words.length + " words; MT19937 has " + MersenneTwister.WORDS);
    }
    if (Arrays.stream(words).allMatch(word -> word == 0)) {
      throw new IllegalArgumentException(
          "generator state: all words are 0; no seed leads to such a state");
    }
    if (position < 0 || position > MersenneTwister.WORDS) {
      throw new IllegalArgumentException(
          "generator state: position "
              + position
              + " is outside [0, "
              + MersenneTwister.WORDS
              + "]");
    }
    if (nextNormal.isPresent() && !Double.isFinite(nextNormal.getAsDouble())) {
      throw new IllegalArgumentException(
          "generator state: the cached normal must be finite but is " + nextNormal.getAsDouble());
    }
  }

  /** A copy of the 624 words of MT19937. */
  @Override
  public int[] words() {
    return words.clone();
  }

  /**
   * The state in a fixed number of bytes, for a file: big-endian, with a mark, a version and a
   * CRC-32 at the end, the same on every machine.
   */
  public byte[] toBytes() {
    ByteBuffer buffer = ByteBuffer.allocate(BYTES);
    buffer.putInt(MAGIC).putInt(VERSION).putLong(seed).putLong(philoxOffset);
    buffer.putInt(nextNormal.isPresent() ? 1 : 0).putDouble(nextNormal.orElse(0)).putInt(position);
    for (int word : words) {
      buffer.putInt(word);
    }
    return buffer.putInt(checksum(buffer.array())).array();
  }

  /**
   * The state that {@link #toBytes()} wrote.
   *
   * @throws IllegalArgumentException if the bytes are not such a state, of another version, or
   *     damaged
   */
  public static GeneratorState fromBytes(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "generator state: has " + bytes.length + " bytes; it must have " + BYTES);
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (buffer.getInt() != MAGIC) {
      throw new IllegalArgumentException(
          "generator state: does not begin with \"GRNG\"; these bytes are something else");
    }
    int version = buffer.getInt();
    if (version != VERSION) {
      throw new IllegalArgumentException(
          "generator state: version "
              + version
              + " is unknown; this release reads version "
              + VERSION);
    }
    if (buffer.getInt(BYTES - Integer.BYTES) != checksum(bytes)) {
      throw new IllegalArgumentException(
          "generator state: the checksum does not fit; the bytes are damaged");
    }
    return read(buffer);
  }

  private static GeneratorState read(ByteBuffer buffer) {
    long seed = buffer.getLong();
    long philoxOffset = buffer.getLong();
    boolean cached = buffer.getInt() != 0;
    double normal = buffer.getDouble();
    int position = buffer.getInt();
    int[] words = new int[MersenneTwister.WORDS];
    buffer.asIntBuffer().get(words);
    return new GeneratorState(
        seed,
        words,
        position,
        cached ? OptionalDouble.of(normal) : OptionalDouble.empty(),
        philoxOffset);
  }

  /** The CRC-32 of everything but the last four bytes. */
  private static int checksum(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, BYTES - Integer.BYTES);
    return (int) crc.getValue();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GeneratorState that
        && seed == that.seed
        && position == that.position
        && philoxOffset == that.philoxOffset
        && nextNormal.equals(that.nextNormal)
        && Arrays.equals(words, that.words);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(words) + Long.hashCode(seed ^ philoxOffset) + position;
  }

  @Override
  public String toString() {
    return "GeneratorState[seed="
        + seed
        + ", position="
        + position
        + ", philoxOffset="
        + philoxOffset
        + "]";
  }
}
