package dev.gradus.examples;

import dev.gradus.tensor.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gradus generate}: writes names with a model that {@code train names} saved. */
@Command(
    name = "generate",
    description = "Writes names with a model that 'gradus train names --save' has written.")
final class Generate implements Callable<Integer> {
  @Mixin private Context context = new Context();

  @Mixin private DeviceOptions deviceOptions = new DeviceOptions();

  @Mixin private SeedOption seed = new SeedOption();

  @SuppressWarnings("NullAway.Init") // required, so it is set before the command runs
  @Parameters(paramLabel = "FILE", description = "The model.")
  private Path file;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "10",
      description = "How many names; default: ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "1",
      description =
          "Below 1 keeps to what is likely, above 1 dares more; default: ${DEFAULT-VALUE}.")
  private double temperature;

  @Override
  public Integer call() throws IOException {
    context.atLeastOne("--count", count);
    context.positive("--temperature", temperature);
    PrintWriter out = context.out();
    try (Device device = deviceOptions.open()) {
      NameWriter writer = new NameWriter(NamesFile.load(file, device), seed.value(), temperature);
      for (int i = 0; i < count; i++) {
        out.println(writer.write());
      }
    }
    return ExitCode.OK;
  }
}
