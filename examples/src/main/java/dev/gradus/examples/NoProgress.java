package dev.gradus.examples;

/** Progress that nobody wants to see. */
final class NoProgress implements Progress {
  @Override
  public void begin(int epoch) {}

  @Override
  public void step(long names, double loss, String rates) {}

  @Override
  public void close() {}
}
