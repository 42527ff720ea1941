package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.BackendProvider;
import dev.gradus.spi.BackendReport;
import dev.gradus.spi.Backends;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class CudaBackendProviderTest {

  @Test
  void theClassPathFindsItByItsServicesFile() {
    assertTrue(
        ServiceLoader.load(BackendProvider.class).stream()
            .anyMatch(p -> p.type() == CudaBackendProvider.class));
  }

  @Test
  void itComesBeforeTheOthersInTheReport() {
    BackendReport.Candidate first = Backends.report().candidates().get(0);
    assertEquals("cuda", first.name());
    assertEquals(100, first.priority());
  }
}
