package dev.gradus.examples;

import java.util.List;
import java.util.stream.Collectors;

/**
 * How a model of names is trained.
 *
 * @param epochs the passes over the names
 * @param batch the examples of a step
 * @param lr the learning rate of all but the embeddings
 * @param embeddingLr the learning rate of the embeddings
 * @param weightDecay the part of a weight that a step with rate 1 would take away
 * @param schedule how the rates change by themselves
 * @param cuts the epochs, from 1, that begin with a cut of both rates
 * @param cutTo the part of the rates that a cut leaves
 */
record NamesSettings(
    int epochs,
    int batch,
    double lr,
    double embeddingLr,
    double weightDecay,
    RateSchedule schedule,
    List<Integer> cuts,
    double cutTo) {
  /** The settings as options of the command. */
  @Override
  public String toString() {
    return "--epochs "
        + epochs
        + " --batch "
        + batch
        + " --lr "
        + lr
        + " --embedding-lr "
        + embeddingLr
        + " --weight-decay "
        + weightDecay
        + " --schedule "
        + schedule
        + (cuts.isEmpty() ? "" : " --cut-at " + join(cuts) + " --cut-to " + cutTo);
  }

  private static String join(List<Integer> epochs) {
    return epochs.stream().map(String::valueOf).collect(Collectors.joining(","));
  }
}
