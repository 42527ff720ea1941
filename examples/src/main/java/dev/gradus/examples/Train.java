package dev.gradus.examples;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code gradus train}: the models that can be trained, each a command of its own. */
@Command(
    name = "train",
    description = "Trains a model.",
    synopsisSubcommandLabel = "MODEL",
    subcommands = {TrainNames.class, TrainDigits.class})
final class Train implements Callable<Integer> {
  @Mixin private Context context = new Context();

  /** Without a model: prints the models; nothing was trained, so it is a wrong command line. */
  @Override
  public Integer call() {
    context.printHelp(context.err());
    return CommandLine.ExitCode.USAGE;
  }
}
