package dev.gradus.examples;

import java.io.PrintWriter;

/**
 * How far a training is, for people, on standard error: what goes to standard output depends on the
 * seed alone, and this has times in it.
 */
interface Progress extends AutoCloseable {
  /** An epoch begins. */
  void begin(int epoch);

  /**
   * A step is done.
   *
   * @param names the names seen in this epoch so far
   * @param loss the loss of the step
   * @param rates the learning rates in force, as text
   */
  void step(long names, double loss, String rates);

  /** The epoch is over, and its line will follow. */
  @Override
  void close();

  /** Where and how progress is shown. */
  enum Form {
    /** Not at all. */
    NONE,
    /** A line now and then. */
    LINES,
    /** A bar that moves, for a terminal. */
    BAR
  }

  /**
   * Progress in a form.
   *
   * @param names the names of an epoch
   */
  static Progress of(Form form, PrintWriter err, long names) {
    return switch (form) {
      case NONE -> new NoProgress();
      case LINES -> new ProgressLines(err, System::nanoTime, names);
      case BAR -> new ProgressBars(names);
    };
  }
}
