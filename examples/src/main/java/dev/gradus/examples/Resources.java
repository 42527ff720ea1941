package dev.gradus.examples;

import java.io.FileNotFoundException;
import java.io.InputStream;

/** The files that come with the program. */
final class Resources {
  private Resources() {}

  /** Opens one, to read from its beginning. */
  static InputStream open(String name) throws FileNotFoundException {
    InputStream in = Resources.class.getResourceAsStream(name);
    if (in == null) {
      throw new FileNotFoundException(
          "the program's file '" + name + "' is missing; build it again");
    }
    return in;
  }
}
