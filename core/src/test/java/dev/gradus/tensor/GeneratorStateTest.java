package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class GeneratorStateTest {

  /** A generator with a cached normal, a Philox offset and a position inside the words. */
  private static Generator used() {
    Generator generator = new Generator(-123456789012345L);
    generator.normal(new float[1003], 0, 1);
    generator.normal(new float[3], 0, 1);
    generator.nextPhiloxOffset(77);
    return generator;
  }

  private static double[] draw(Generator generator) {
    double[] values = new double[1515];
    double[] odd = new double[7];
    generator.normal(odd, 0, 1);
    generator.uniform(values, 0, 1);
    System.arraycopy(odd, 0, values, 0, odd.length);
    values[7] = generator.nextPhiloxOffset(5);
    values[8] = generator.seed();
    return values;
  }

  @Test
  void aRestoredGeneratorContinuesTheStream() {
    Generator generator = used();
    GeneratorState state = generator.state();
    double[] next = draw(generator);
    Generator other = new Generator(1);
    other.setState(state);
    assertArrayEquals(next, draw(other));
    generator.setState(state);
    assertArrayEquals(next, draw(generator));
  }

  @Test
  void bytesHoldTheWholeState() {
    GeneratorState state = used().state();
    assertEquals(state, GeneratorState.fromBytes(state.toBytes()));
    GeneratorState fresh = new Generator(5).state();
    assertEquals(fresh, GeneratorState.fromBytes(fresh.toBytes()));
    assertEquals(2540, state.toBytes().length);
  }

  @Test
  void aStateIsAValueThatNobodyCanChange() {
    Generator generator = new Generator(5);
    generator.random();
    GeneratorState state = generator.state();
    GeneratorState same = generator.state();
    assertEquals(same, state);
    assertEquals(same.hashCode(), state.hashCode());
    Arrays.fill(state.words(), 1);
    assertEquals(same, state);
    int[] words = state.words();
    GeneratorState copied =
        new GeneratorState(
            state.seed(), words, state.position(), state.nextNormal(), state.philoxOffset());
    words[0]++;
    assertEquals(same, copied);
    generator.random();
    assertEquals(same, state);
    assertNotEquals(same, generator.state());
    assertEquals("GeneratorState[seed=5, position=1, philoxOffset=0]", state.toString());
  }

  @Test
  void statesDifferInEveryPart() {
    GeneratorState s = new Generator(5).state();
    int[] words = s.words();
    words[623]++;
    assertNotEquals(s, new GeneratorState(6, s.words(), 624, s.nextNormal(), 0));
    assertNotEquals(s, new GeneratorState(5, words, 624, s.nextNormal(), 0));
    assertNotEquals(s, new GeneratorState(5, s.words(), 623, s.nextNormal(), 0));
    assertNotEquals(s, new GeneratorState(5, s.words(), 624, OptionalDouble.of(0), 0));
    assertNotEquals(s, new GeneratorState(5, s.words(), 624, s.nextNormal(), 1));
    assertEquals(s, new GeneratorState(5, s.words(), 624, s.nextNormal(), 0));
  }

  @Test
  void impossibleStatesAreRefused() {
    int[] words = new Generator(5).state().words();
    OptionalDouble none = OptionalDouble.empty();
    assertRefused(
        "generator state: has 3 words; MT19937 has 624",
        () -> new GeneratorState(5, new int[3], 0, none, 0));
    assertRefused(
        "generator state: all words are 0; no seed leads to such a state",
        () -> new GeneratorState(5, new int[624], 0, none, 0));
    assertRefused(
        "generator state: position 625 is outside [0, 624]",
        () -> new GeneratorState(5, words, 625, none, 0));
    assertRefused(
        "generator state: position -1 is outside [0, 624]",
        () -> new GeneratorState(5, words, -1, none, 0));
    assertRefused(
        "generator state: the cached normal must be finite but is NaN",
        () -> new GeneratorState(5, words, 0, OptionalDouble.of(Double.NaN), 0));
  }

  @Test
  void foreignOrDamagedBytesAreRefused() {
    byte[] good = used().state().toBytes();
    assertRefused(
        "generator state: has 10 bytes; it must have 2540",
        () -> GeneratorState.fromBytes(new byte[10]));
    assertRefused(
        "generator state: does not begin with \"GRNG\"; these bytes are something else",
        () -> GeneratorState.fromBytes(new byte[2540]));
    byte[] newer = good.clone();
    ByteBuffer.wrap(newer).putInt(4, 2);
    assertRefused(
        "generator state: version 2 is unknown; this release reads version 1",
        () -> GeneratorState.fromBytes(newer));
    for (int i = 8; i < good.length; i += 211) {
      byte[] damaged = good.clone();
      damaged[i] ^= 0x10;
      assertRefused(
          "generator state: the checksum does not fit; the bytes are damaged",
          () -> GeneratorState.fromBytes(damaged));
    }
  }

  private static void assertRefused(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
