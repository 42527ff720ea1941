package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class NamesTest {
  @Test
  void bothListsHave8403NamesOfLetters() throws Exception {
    List<String> names = Names.load();
    assertEquals(8403, names.size());
    assertEquals(8403, new HashSet<>(names).size());
    assertEquals("aaren", names.get(0));
    assertTrue(names.stream().allMatch(name -> name.matches("[a-z]+")));
  }

  @Test
  void aTenthIsSetAsideAndNoneIsLost() throws Exception {
    List<String> names = Names.load();
    Names split = Names.split(names, 0);
    assertEquals(840, split.validation().size());
    assertEquals(7563, split.training().size());
    List<String> all = new ArrayList<>(split.validation());
    all.addAll(split.training());
    assertEquals(new HashSet<>(names), new HashSet<>(all));
  }

  @Test
  void theSeedDecidesTheSplit() throws Exception {
    List<String> names = Names.load();
    assertEquals(Names.split(names, 3), Names.split(names, 3));
    assertNotEquals(Names.split(names, 3).validation(), Names.split(names, 4).validation());
  }
}
