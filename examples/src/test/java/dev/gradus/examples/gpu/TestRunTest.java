package dev.gradus.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestRunTest {
  @Test
  void outsideACloneItSaysWhyNothingRan(@TempDir Path folder) {
    CheckPart part = TestRun.run(folder, true);
    assertEquals("the tests need a clone of the project; start gradus there", part.problem());
    assertTrue(part.failed());
    assertEquals(
        "0 passed, 0 failed, 0 skipped; it did not end: the tests need a clone of the project;"
            + " start gradus there",
        part.toString());
  }
}
