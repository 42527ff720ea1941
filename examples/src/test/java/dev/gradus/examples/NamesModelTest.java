package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.NoGrad;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NamesModelTest {
  private static final long NONE = Examples.IGNORED;

  private final Device device = Device.open("cpu");

  @AfterEach
  void close() {
    device.close();
  }

  private NamesModel model(NamesKind kind) {
    device.manualSeed(1);
    NamesModel model = kind.create(device, kind.sizes());
    model.eval();
    return model;
  }

  @Test
  void mlpLearnsEachCharacterFromTheEightBeforeIt() {
    Examples.Batch all = model(NamesKind.MLP).examples(List.of("ab", "abcdefghij")).all(device);
    assertEquals("[14, 8]", all.inputs().shape().toString());
    assertArrayEquals(
        new long[] {1, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0}, all.targets().toLongArray());
    long[] ids = all.inputs().toLongArray();
    assertArrayEquals(new long[8], Arrays.copyOfRange(ids, 0, 8));
    assertArrayEquals(new long[] {0, 0, 0, 0, 0, 0, 1, 2}, Arrays.copyOfRange(ids, 16, 24));
    assertArrayEquals(new long[] {3, 4, 5, 6, 7, 8, 9, 10}, Arrays.copyOfRange(ids, 104, 112));
  }

  @Test
  void gptLearnsANameAtOnceAndIgnoresThePadding() {
    Examples.Batch all = model(NamesKind.GPT).examples(List.of("ab", "c")).all(device);
    assertEquals("[2, 14]", all.inputs().shape().toString());
    long[] ids = all.inputs().toLongArray();
    assertArrayEquals(new long[] {0, 1, 2, 0}, Arrays.copyOf(ids, 4));
    assertArrayEquals(new long[] {0, 3, 0, 0}, Arrays.copyOfRange(ids, 14, 18));
    long[] targets = all.targets().toLongArray();
    assertArrayEquals(new long[] {1, 2, 0, NONE, NONE}, Arrays.copyOf(targets, 5));
    assertArrayEquals(new long[] {3, 0, NONE, NONE}, Arrays.copyOfRange(targets, 14, 18));
  }

  @Test
  void aBatchIsAsWideAsItsLongestName() {
    Examples names = model(NamesKind.GPT).examples(List.of("abcd", "e", "fgh"));
    Examples.Batch batch = names.batch(device, new long[] {0, 2, 1}, 1, 3);
    assertArrayEquals(new long[] {0, 6, 7, 8, 0, 5, 0, 0}, batch.inputs().toLongArray());
    assertArrayEquals(new long[] {6, 7, 8, 0, 5, 0, NONE, NONE}, batch.targets().toLongArray());
    assertEquals("[2, 4]", batch.inputs().shape().toString());
  }

  @ParameterizedTest
  @EnumSource
  void everyModelIsMeasuredByTheSameCharacters(NamesKind kind) throws Exception {
    List<String> names = Names.split(Names.load(), 0).validation();
    Examples.Batch all = model(kind).examples(names).all(device);
    long counted = Arrays.stream(all.targets().toLongArray()).filter(t -> t != NONE).count();
    assertEquals(names.stream().mapToInt(name -> name.length() + 1).sum(), counted);
  }

  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("try") // the block is open for its effect
  void nextGivesTheScoresThatTrainingSees(NamesKind kind) {
    NamesModel model = model(kind);
    try (NoGrad off = NoGrad.open()) {
      Examples.Batch name = model.examples(List.of("anna")).all(device);
      float[] all = model.forward(name.inputs()).toFloatArray();
      for (int i = 0; i <= 4; i++) {
        float[] expected = Arrays.copyOfRange(all, i * Alphabet.SIZE, (i + 1) * Alphabet.SIZE);
        // The sums of a product may be formed in another order when it has fewer rows.
        assertArrayEquals(expected, model.next("anna".substring(0, i)).toFloatArray(), 1e-5f);
      }
    }
  }

  @Test
  void theLongestNameFitsIntoTheTransformer() throws Exception {
    int longest = Names.load().stream().mapToInt(String::length).max().orElseThrow();
    assertEquals(longest, model(NamesKind.GPT).longest());
  }
}
