package dev.gradus.examples;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/**
 * The program, run in this process.
 *
 * @param code its exit code
 * @param out what it printed to standard output
 * @param err what it printed to standard error
 */
record Run(int code, String out, String err) {
  /** Runs it. */
  static Run of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.run(new PrintWriter(out), new PrintWriter(err), args);
    return new Run(code, out.toString(), err.toString());
  }

  /** The lines of standard error. */
  List<String> errors() {
    return err.lines().toList();
  }
}
