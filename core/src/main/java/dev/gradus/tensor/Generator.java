package dev.gradus.tensor;

import dev.gradus.spi.Philox;
import java.util.OptionalDouble;

/**
 * A stream of random numbers on the host: PyTorch's CPU stream bit for bit, and the running offset
 * of the Philox stream that dropout masks come from.
 *
 * <p>Words come from MT19937. A call draws in index order and on the calling thread, so one seed
 * and one order of calls give one result everywhere; another length may give unrelated values (see
 * {@link #normal(float[], double, double)}). Float64 standard normals agree with PyTorch's to 2
 * ulp, everything else exactly (as its builds for AVX2 and AVX-512 compute it).
 *
 * <p>Thread-safe: every method is synchronized, so a call's values are never interleaved with
 * another's; which thread gets which part of the stream is up to the threads.
 */
public final class Generator {

  private static final double FLOAT_STEP = 0x1p-24;
  private static final double DOUBLE_STEP = 0x1p-53;

  /** From this many elements on, normals are made from uniforms in blocks of this many. */
  private static final int BLOCK = 16;

  private static final int HALF_BLOCK = BLOCK / 2;

  /** Integer ranges below this take one word a value, others two. */
  private static final long ONE_WORD_RANGES = 1L << 28;

  private static final float TWO_PI_FLOAT = (float) (2 * Math.PI);

  private final MersenneTwister twister = new MersenneTwister();
  private long seed;
  private OptionalDouble nextNormal = OptionalDouble.empty();
  private long philoxOffset;

  /**
   * Makes a generator at the start of a seed's stream.
   *
   * @param seed any value, see {@link #manualSeed}
   */
  public Generator(long seed) {
    restart(seed);
  }

  /**
   * Goes to the start of a seed's stream: forgets the cached normal and sets the Philox offset to
   * 0.
   *
   * @param seed any value. MT19937 uses its low 32 bits only, so seeds that are equal there give
   *     equal initial values; Philox uses all 64.
   */
  public synchronized void manualSeed(long seed) {
    restart(seed);
  }

  private void restart(long newSeed) {
    seed = newSeed;
    twister.seed(newSeed);
    nextNormal = OptionalDouble.empty();
    philoxOffset = 0;
  }

  /** The seed that the stream was last started with. */
  public synchronized long seed() {
    return seed;
  }

  /** The next 32 random bits. */
  public synchronized int random() {
    return twister.next();
  }

  /** The next 64 random bits: two words of the stream, the first in the upper half. */
  public synchronized long random64() {
    return word64();
  }

  private long word64() {
    long upper = twister.next();
    return (upper << 32) | (twister.next() & 0xffffffffL);
  }

  private float floatUniform() {
    return (float) ((twister.next() & 0xffffff) * FLOAT_STEP);
  }

  private double doubleUniform() {
    return (word64() & ((1L << 53) - 1)) * DOUBLE_STEP;
  }

  /**
   * Fills an array with uniform float32 values in [from, to), one word each: {@code fma(u, to -
   * from, from)} with u a multiple of 2^-24; the bounds are rounded to float32 first.
   *
   * @throws IllegalArgumentException if from is greater than to, or a bound or their difference is
   *     not finite in float32
   */
  public synchronized void uniform(float[] out, double from, double to) {
    float first = (float) from;
    float limit = (float) to;
    float span = limit - first;
    checkBounds(
        from,
        to,
        Float.isFinite(first) && Float.isFinite(limit) && Float.isFinite(span),
        "float32");
    for (int i = 0; i < out.length; i++) {
      float value = Math.fma(floatUniform(), span, first);
      out[i] = value == limit ? first : value;
    }
  }

  /**
   * Fills an array with uniform float64 values in [from, to), two words each: {@code fma(u, to -
   * from, from)} with u a multiple of 2^-53.
   *
   * @throws IllegalArgumentException if from is greater than to, or a bound or their difference is
   *     not finite
   */
  public synchronized void uniform(double[] out, double from, double to) {
    double span = to - from;
    checkBounds(
        from, to, Double.isFinite(from) && Double.isFinite(to) && Double.isFinite(span), "float64");
    for (int i = 0; i < out.length; i++) {
      double value = Math.fma(doubleUniform(), span, from);
      out[i] = value == to ? from : value;
    }
  }

  private static void checkBounds(double from, double to, boolean finite, String dtype) {
    if (!finite) {
      throw new IllegalArgumentException(
          "uniform: from is "
              + from
              + " and to is "
              + to
              + "; both and their difference must be finite in "
              + dtype);
    }
    if (from > to) {
      throw new IllegalArgumentException(
          "uniform: from is " + from + " and to is " + to + "; from must be <= to");
    }
  }

  /**
   * Fills an array with normal float32 values (Box and Muller's transform).
   *
   * <p>Fewer than 16 elements are computed one by one in double from float64 uniforms, two values
   * at a time; the second of a pair is cached and is the next such call's first, even across other
   * calls. 16 or more are made from float32 uniforms in blocks of 16, in float32; where 16 does not
   * divide the length, the last 16 cells are drawn once more.
   *
   * @throws IllegalArgumentException if mean is not finite, or std is negative or not finite
   */
  public synchronized void normal(float[] out, double mean, double std) {
    checkNormal(mean, std);
    if (out.length < BLOCK) {
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) (standardNormal() * std + mean);
      }
      return;
    }
    fillFloatUniforms(out, 0);
    int start = 0;
    for (; start <= out.length - BLOCK; start += BLOCK) {
      normalBlock(out, start, (float) mean, (float) std);
    }
    if (start < out.length) {
      fillFloatUniforms(out, out.length - BLOCK);
      normalBlock(out, out.length - BLOCK, (float) mean, (float) std);
    }
  }

  /**
   * Fills an array with normal float64 values, by the rules of {@link #normal(float[], double,
   * double)} with float64 uniforms and arithmetic throughout.
   *
   * @throws IllegalArgumentException if mean is not finite, or std is negative or not finite
   */
  public synchronized void normal(double[] out, double mean, double std) {
    checkNormal(mean, std);
    if (out.length < BLOCK) {
      for (int i = 0; i < out.length; i++) {
        out[i] = standardNormal() * std + mean;
      }
      return;
    }
    fillDoubleUniforms(out, 0);
    int start = 0;
    for (; start <= out.length - BLOCK; start += BLOCK) {
      normalBlock(out, start, mean, std);
    }
    if (start < out.length) {
      fillDoubleUniforms(out, out.length - BLOCK);
      normalBlock(out, out.length - BLOCK, mean, std);
    }
  }

  private static void checkNormal(double mean, double std) {
    if (!Double.isFinite(mean)) {
      throw new IllegalArgumentException("normal: mean must be finite but is " + mean);
    }
    if (!(std >= 0) || !Double.isFinite(std)) {
      throw new IllegalArgumentException("normal: std must be >= 0 and finite but is " + std);
    }
  }

  private double standardNormal() {
    if (nextNormal.isPresent()) {
      double cached = nextNormal.getAsDouble();
      nextNormal = OptionalDouble.empty();
      return cached;
    }
    double u1 = doubleUniform();
    double u2 = doubleUniform();
    double radius = Math.sqrt(-2 * Math.log1p(-u2));
    double theta = 2 * Math.PI * u1;
    nextNormal = OptionalDouble.of(radius * Math.sin(theta));
    return radius * Math.cos(theta);
  }

  private void fillFloatUniforms(float[] out, int start) {
    for (int i = start; i < out.length; i++) {
      out[i] = floatUniform();
    }
  }

  private void fillDoubleUniforms(double[] out, int start) {
    for (int i = start; i < out.length; i++) {
      out[i] = doubleUniform();
    }
  }

  private static void normalBlock(float[] cells, int start, float mean, float std) {
    for (int j = start; j < start + HALF_BLOCK; j++) {
      float radius = (float) Math.sqrt(-2f * CephesMath.ln(1f - cells[j]));
      float theta = TWO_PI_FLOAT * cells[j + HALF_BLOCK];
      cells[j] = Math.fma(radius * CephesMath.cos(theta), std, mean);
      cells[j + HALF_BLOCK] = Math.fma(radius * CephesMath.sin(theta), std, mean);
    }
  }

  private static void normalBlock(double[] cells, int start, double mean, double std) {
    for (int j = start; j < start + HALF_BLOCK; j++) {
      double radius = Math.sqrt(-2 * Math.log(1 - cells[j]));
      double theta = 2 * Math.PI * cells[j + HALF_BLOCK];
      cells[j] = Math.fma(radius * Math.cos(theta), std, mean);
      cells[j + HALF_BLOCK] = Math.fma(radius * Math.sin(theta), std, mean);
    }
  }

  /**
   * Fills an array with integers in [low, high): a word modulo the range, or two words where the
   * range is 2^28 or more.
   *
   * @throws IllegalArgumentException if low is not less than high
   */
  public synchronized void randint(long[] out, long low, long high) {
    if (low >= high) {
      throw new IllegalArgumentException(
          "randint: low is " + low + " and high is " + high + "; low must be < high");
    }
    long range = high - low; // unsigned: it can exceed Long.MAX_VALUE
    boolean oneWord = Long.compareUnsigned(range, ONE_WORD_RANGES) < 0;
    for (int i = 0; i < out.length; i++) {
      long bits = oneWord ? twister.next() & 0xffffffffL : word64();
      out[i] = Long.remainderUnsigned(bits, range) + low;
    }
  }

  /** Fills an array of length n with a random order of 0 .. n-1; takes n-1 words. */
  public synchronized void randperm(long[] out) {
    int n = out.length;
    for (int i = 0; i < n; i++) {
      out[i] = i;
    }
    for (int i = 0; i < n - 1; i++) {
      int other = i + Integer.remainderUnsigned(twister.next(), n - i);
      long swapped = out[i];
      out[i] = out[other];
      out[other] = swapped;
    }
  }

  /**
   * Reserves a part of the seed's Philox stream for some elements and returns where it begins: the
   * first of the {@link Philox#blocks blocks(elements)} counters that belong to the caller alone.
   * It takes nothing from the other draws.
   *
   * @param elements how many random words are needed, at least 0
   * @return the offset to hand to {@link Philox} together with {@link #seed()}
   * @throws IllegalArgumentException if elements is negative
   */
  public synchronized long nextPhiloxOffset(long elements) {
    long blocks = Philox.blocks(elements);
    long offset = philoxOffset;
    philoxOffset += blocks;
    return offset;
  }

  /** Where the next part of the Philox stream begins. */
  synchronized long philoxOffset() {
    return philoxOffset;
  }

  /** Leaves out so many counters of the Philox stream. */
  synchronized void skipPhilox(long blocks) {
    philoxOffset += blocks;
  }

  /** A copy of everything that decides the next draws. */
  public synchronized GeneratorState state() {
    return new GeneratorState(seed, twister.words(), twister.position(), nextNormal, philoxOffset);
  }

  /**
   * Continues where the given state was taken: the next draws are the ones that followed {@link
   * #state()}.
   */
  public synchronized void setState(GeneratorState state) {
    seed = state.seed();
    twister.restore(state.words(), state.position());
    nextNormal = state.nextNormal();
    philoxOffset = state.philoxOffset();
  }
}
