package dev.gradus.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChildProcessTest {
  @BeforeAll
  static void needsAShell() {
    assumeTrue(File.separatorChar == '/', "the processes of these tests are scripts of a shell");
  }

  private static ProcessBuilder shell(String script) {
    return new ProcessBuilder("sh", "-c", script);
  }

  @Test
  void allLinesAreReadAndTheLastAreKept() throws IOException {
    List<String> lines = new ArrayList<>();
    ChildProcess child = new ChildProcess(Duration.ofMinutes(1));
    String script =
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo $i; done; echo end >&2; exit 7";
    assertEquals(7, child.run(shell(script), lines::add));
    assertEquals(14, lines.size());
    assertEquals(
        "the process ended with exit code 7: 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | end",
        child.end(7));
  }

  @Test
  void aProcessThatSaysNothingIsEnded() throws IOException {
    ChildProcess child = new ChildProcess(Duration.ofSeconds(1));
    int code = child.run(shell("echo begin; exec sleep 600"), line -> {});
    assertNotEquals(0, code);
    assertEquals("the process said nothing for 1 s and was ended: begin", child.end(code));
  }
}
