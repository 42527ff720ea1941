package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressLinesTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void thereIsALineEveryFiveSeconds() {
    AtomicLong now = new AtomicLong(7 * SECOND);
    StringWriter text = new StringWriter();
    Progress lines = new ProgressLines(new PrintWriter(text), now::get, 7563);
    lines.begin(1);
    for (int second = 1; second <= 11; second++) {
      now.addAndGet(SECOND);
      lines.step(400L * second, 2.5, "rest 0.01");
    }
    lines.close();
    assertEquals(
        """
        epoch 1: 2,000 of 7,563 names, loss 2.5000, lr rest 0.01, 400 names per second
        epoch 1: 4,000 of 7,563 names, loss 2.5000, lr rest 0.01, 400 names per second
        """,
        text.toString().replace(System.lineSeparator(), "\n"));
  }
}
