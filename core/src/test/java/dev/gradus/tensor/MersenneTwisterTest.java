package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class MersenneTwisterTest {

  /**
   * The figures that the C++ standard (rand.predef) and the authors' output file give for the
   * default seed.
   */
  @Test
  void defaultSeedGivesTheStandardsWords() {
    MersenneTwister twister = new MersenneTwister();
    twister.seed(5489);
    assertEquals(3499211612L, twister.next() & 0xffffffffL);
    assertEquals(581869302L, twister.next() & 0xffffffffL);
    for (int i = 3; i < 10_000; i++) {
      twister.next();
    }
    assertEquals(4123659995L, twister.next() & 0xffffffffL);
  }

  @Test
  void restoreContinuesInsideAndAtTheEndOfTheWords() {
    for (int drawn : new int[] {0, 1, 623, 624, 625}) {
      MersenneTwister twister = new MersenneTwister();
      twister.seed(1);
      for (int i = 0; i < drawn; i++) {
        twister.next();
      }
      MersenneTwister other = new MersenneTwister();
      other.restore(twister.words(), twister.position());
      for (int i = 0; i < 700; i++) {
        assertEquals(twister.next(), other.next());
      }
    }
  }
}
