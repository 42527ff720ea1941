package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Properties;
import org.junit.jupiter.api.Test;

class CudaSettingsTest {

  private static CudaSettings of(String name, String value) {
    Properties properties = new Properties();
    properties.setProperty(name, value);
    return CudaSettings.of(properties);
  }

  @Test
  void withoutPropertiesTheDefaultsHold() {
    assertEquals(CudaSettings.DEFAULTS, CudaSettings.of(new Properties()));
  }

  @Test
  void memoryIsANumberWithAUnit() {
    assertEquals(8L << 30, of("gradus.cuda.memory", "8g").memory());
    assertEquals(3L << 20, of("gradus.cuda.memory", " 3M ").memory());
    assertEquals(77, of("gradus.cuda.memory", "77").memory());
    assertEquals(Long.MAX_VALUE, of("gradus.cuda.memory", "999999999999t").memory());
    for (String wrong : new String[] {"", "0", "-1", "8x", "8.5g"}) {
      assertEquals(
          "gradus.cuda.memory must be a number of bytes above 0, with k, m, g or t behind it or"
              + " not, but is '"
              + wrong
              + "'",
          assertThrows(IllegalArgumentException.class, () -> of("gradus.cuda.memory", wrong))
              .getMessage());
    }
  }

  @Test
  void switchesAreOnOrOff() {
    assertEquals(true, of("gradus.cuda.tf32", "on").tf32());
    assertEquals(true, of("gradus.cuda.atomics", "on").atomics());
    assertEquals(false, CudaSettings.DEFAULTS.atomics());
    assertEquals(true, of("gradus.cuda.debug", "on").debug());
    assertEquals(false, of("gradus.cuda.cache", "off").caching());
    assertEquals(
        "gradus.cuda.tf32 must be on or off but is 'yes'",
        assertThrows(IllegalArgumentException.class, () -> of("gradus.cuda.tf32", "yes"))
            .getMessage());
  }
}
