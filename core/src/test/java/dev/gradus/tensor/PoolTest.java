package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gradus.spi.Storage;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PoolTest {
  private final ReferenceBackend backend = new ReferenceBackend("reference");
  private final Pool pool = new Pool();

  private Storage put(DType dtype, long numel) {
    Storage s = backend.allocate(dtype, numel);
    pool.put(s);
    return s;
  }

  @Test
  void whatWasGivenBackLastIsTakenFirst() {
    Storage a = put(DType.F32, 7);
    Storage b = put(DType.F32, 7);
    assertEquals(56, pool.bytes());
    assertSame(b, pool.take(DType.F32, 7));
    assertSame(a, pool.take(DType.F32, 7));
    assertNull(pool.take(DType.F32, 7));
    assertEquals(0, pool.bytes());
  }

  @Test
  void typesAndSizesAreToldApart() {
    Map<Storage, DType> types = new HashMap<>();
    for (DType dtype : DType.values()) {
      for (int n = 0; n < 3000; n += 7) {
        types.put(put(dtype, n), dtype);
      }
    }
    assertEquals(types.size(), pool.sizes());
    types.forEach((s, dtype) -> assertSame(s, pool.take(dtype, s.numel())));
    assertEquals(0, pool.bytes());
  }

  @Test
  void theSizesLongestWithoutUseGoFirst() {
    Storage a = put(DType.F32, 1);
    Storage b = put(DType.F32, 2);
    Storage c = put(DType.F32, 3);
    Storage a2 = put(DType.F32, 1);
    List<Storage> freed = new ArrayList<>();
    pool.shrink(20, 10, freed::add); // of 28 bytes
    assertEquals(List.of(b), freed);
    pool.shrink(20, 1, freed::add);
    assertEquals(List.of(b, c), freed);
    pool.shrink(4, 1, freed::add);
    assertEquals(List.of(b, c, a), freed);
    assertSame(a2, pool.take(DType.F32, 1));
  }

  @Test
  void nothingIsLostAndNothingComesTwice() {
    Random random = new Random(5);
    List<Storage> outside = new ArrayList<>();
    List<Storage> freed = new ArrayList<>();
    long bytes = 0;
    for (int i = 0; i < 20_000; i++) {
      int n = random.nextInt(2000);
      Storage taken = random.nextBoolean() ? pool.take(DType.F32, n) : null;
      if (taken != null) {
        assertEquals(n, taken.numel());
        outside.add(taken);
        bytes -= 4L * n;
      } else {
        put(DType.F32, n);
        bytes += 4L * n;
      }
      assertEquals(bytes, pool.bytes());
    }
    pool.shrink(0, 0, freed::add);
    assertEquals(0, pool.bytes());
    assertEquals(0, pool.sizes());
    freed.addAll(outside);
    assertEquals(freed.size(), freed.stream().distinct().count());
    assertEquals(backend.live(), freed.size());
  }
}
