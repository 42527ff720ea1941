package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DeviceMemoryTest {

  @Test
  void aSizeClassWastesAnEighthAtMost() {
    assertEquals(512, DeviceMemory.sizeClass(1));
    assertEquals(512, DeviceMemory.sizeClass(512));
    assertEquals(1024, DeviceMemory.sizeClass(513));
    for (long bytes = 4096; bytes < 1L << 40; bytes = bytes * 9 / 8 + 1) {
      long size = DeviceMemory.sizeClass(bytes);
      assertTrue(size >= bytes && size - bytes <= bytes / 8, bytes + " in " + size);
      assertEquals(0, size % 512);
      assertEquals(size, DeviceMemory.sizeClass(size), "a class is its own");
    }
    assertEquals(102L << 20, DeviceMemory.sizeClass((100L << 20) + 1));
  }
}
