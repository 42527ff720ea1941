package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gradus.spi.Backends;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DoctorTest {
  @Test
  void printsTheReport() {
    Run run = Run.of("doctor");
    assertEquals(0, run.code());
    assertEquals("", run.err());
    assertEquals(Backends.report().toString(), run.out());
    assertTrue(run.out().contains("\ncpu: usable (priority "), run.out());
  }

  @Test
  void jsonHasWhatTheReportHas() throws Exception {
    Run run = Run.of("doctor", "--json");
    assertEquals(0, run.code());
    JsonNode report = new ObjectMapper().readTree(run.out());
    assertEquals(Backends.report().chosen(), report.get("chosen").asText());
    assertEquals("", report.get("problem").asText());
    List<String> names = new ArrayList<>();
    for (JsonNode backend : report.get("backends")) {
      names.add(backend.get("name").asText());
      if (backend.get("name").asText().equals("cpu")) {
        assertEquals("usable", backend.get("status").asText());
        assertEquals("cpu", backend.get("devices").get(0).asText());
        assertTrue(backend.get("versions").has("threads"), run.out());
        assertTrue(backend.get("cause").isNull(), run.out());
      }
    }
    assertEquals(Backends.report().candidates().stream().map(c -> c.name()).toList(), names);
  }

  @Test
  void requireIsMetByABackendThatWorks() {
    Run run = Run.of("doctor", "--require", "cpu");
    assertEquals(0, run.code());
    assertEquals("", run.err());
  }

  @Test
  void requireEndsWithThreeAndSaysWhy() {
    Run run = Run.of("doctor", "--require", "abacus");
    assertEquals(3, run.code());
    assertTrue(run.out().startsWith("backend: "), run.out());
    assertEquals(1, run.errors().size(), run.err());
    assertTrue(
        run.err().startsWith("gradus: backend 'abacus' was not found; there are: "), run.err());
  }
}
