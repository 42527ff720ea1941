package dev.gradus.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdamTableTest {
  @ParameterizedTest
  @EnumSource
  void everyGroupHasAParameter(AdamTable table) {
    int n = table.sizes().length;
    assertTrue(table.groups() <= n);
    int[] groups = IntStream.range(0, n).map(i -> table.groupOf(i, n)).toArray();
    assertEquals(table.groups(), Arrays.stream(groups).distinct().count());
    assertEquals(0, groups[0]);
    assertEquals(table.groups() - 1, groups[n - 1]);
  }

  @Test
  void theSmallGptHas74Tensors() {
    assertEquals(74, AdamTable.GPT_IN_1.sizes().length);
    assertEquals(6_300_864, AdamTable.GPT_IN_1.parameters());
  }
}
