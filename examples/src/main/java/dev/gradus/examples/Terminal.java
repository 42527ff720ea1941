package dev.gradus.examples;

import java.io.IOException;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/** What is known of the place where standard error ends. */
final class Terminal {
  private Terminal() {}

  /** Whether standard error is a terminal, which can show a bar that moves. */
  static boolean isInteractive() {
    try {
      return !"dumb".equals(System.getenv("TERM"))
          && TerminalProvider.load("exec").isSystemStream(SystemStream.Error);
    } catch (IOException e) {
      return false; // a system that cannot tell gets plain lines
    }
  }
}
