package dev.gradus.examples;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.gradus.examples.parity.Comparison;
import dev.gradus.examples.parity.Difference;
import dev.gradus.examples.parity.Recording;
import dev.gradus.examples.parity.Replay;
import dev.gradus.tensor.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gradus parity}: replays a recorded optimizer and says how far this engine is from it. */
@Command(
    name = "parity",
    description = {
      "Replays a recorded optimizer and says how far this engine's values are from the recorded"
          + " ones.",
      "scripts/record_torch.py records a training loop of PyTorch; docs/parity.md describes the"
          + " file."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:within the tolerance", "1:failed", "4:above the tolerance"})
final class Parity implements Callable<Integer> {
  private static final int ABOVE = 4;

  @Mixin private Context context = new Context();

  @Mixin private DeviceOptions deviceOptions = new DeviceOptions();

  @SuppressWarnings("NullAway.Init") // required, so it is set before the command runs
  @Parameters(
      paramLabel = "FILE",
      description = "The recording: JSON, or a file that ends in .safetensors.")
  private Path file;

  @Option(
      names = "--tolerance",
      paramLabel = "T",
      description =
          "A step may add T times the greatest magnitude that the parameter has had to its"
              + " difference; default: four units in the last place, 4.8e-07 for float32 and"
              + " 8.9e-16 for float64.")
  private @Nullable Double tolerance;

  @Option(names = "--steps", description = "Prints a line for each step and parameter.")
  private boolean steps;

  @Option(names = "--json", description = "Prints each step and parameter as JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    double perStep = tolerance == null ? Double.NaN : context.notNegative("--tolerance", tolerance);
    PrintWriter out = context.out();
    try (Recording recording = Recording.open(file);
        Device device = deviceOptions.open()) {
      Comparison comparison = Replay.of(recording, device, perStep);
      if (json) {
        out.print(toJson(recording, comparison));
      } else {
        print(recording, comparison, out);
      }
      return comparison.firstAbove() == null ? ExitCode.OK : ABOVE;
    }
  }

  private void print(Recording recording, Comparison comparison, PrintWriter out) {
    out.println(recording);
    out.println();
    if (steps) {
      printRows(rowsOf(comparison), out);
      out.println();
    }
    printRows(summariesOf(comparison), out);
    out.println();
    out.println(verdict(comparison));
  }

  private static List<List<String>> rowsOf(Comparison comparison) {
    List<List<String>> table = new ArrayList<>();
    table.add(List.of("parameter", "step", "absolute", "relative", "ulp", "added", "allowed", ""));
    for (Comparison.Row row : comparison.rows()) {
      Difference d = row.difference();
      table.add(
          List.of(
              row.parameter(),
              String.valueOf(row.step()),
              number(d.absolute()),
              number(d.relative()),
              String.valueOf(d.ulp()),
              number(row.added()),
              number(row.allowed()),
              row.isAbove() ? "above" : ""));
    }
    return table;
  }

  private static List<List<String>> summariesOf(Comparison comparison) {
    List<List<String>> table = new ArrayList<>();
    table.add(
        List.of("greatest difference", "absolute", "at step", "relative", "ulp", "first above"));
    comparison
        .byParameter()
        .forEach(
            (name, s) ->
                table.add(
                    List.of(
                        name,
                        number(s.greatest().absolute()),
                        s.greatest().absolute() == 0 ? "-" : String.valueOf(s.worstStep()),
                        number(s.greatest().relative()),
                        String.valueOf(s.greatest().ulp()),
                        s.firstAbove() == 0 ? "-" : "step " + s.firstAbove())));
    return table;
  }

  /** Prints columns; the first is text, the others are numbers. */
  private static void printRows(List<List<String>> table, PrintWriter out) {
    int[] widths = new int[table.get(0).size()];
    for (List<String> row : table) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : table) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String pad = " ".repeat(widths[i] - row.get(i).length());
        line.append(i == 0 ? row.get(i) + pad : "  " + pad + row.get(i));
      }
      out.println(line.toString().stripTrailing());
    }
  }

  private static String verdict(Comparison comparison) {
    Comparison.Row first = comparison.firstAbove();
    return first == null
        ? "within the tolerance"
        : String.format(
            Locale.ROOT,
            "step %d moves %s away by %s, where %s is allowed",
            first.step(),
            first.parameter(),
            number(first.added()),
            number(first.allowed()));
  }

  private static String number(double x) {
    return x == 0 ? "0" : String.format(Locale.ROOT, "%.1e", x);
  }

  private static String toJson(Recording recording, Comparison comparison) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      Comparison.Row first = comparison.firstAbove();
      json.writeStartObject();
      json.writeStringField("optimizer", recording.optimizer());
      json.writeStringField("source", recording.source());
      json.writeBooleanField("within", first == null);
      if (first != null) {
        json.writeFieldName("first");
        write(json, first);
      }
      json.writeArrayFieldStart("rows");
      for (Comparison.Row row : comparison.rows()) {
        write(json, row);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text + "\n";
  }

  private static void write(JsonGenerator json, Comparison.Row row) throws IOException {
    json.writeStartObject();
    json.writeNumberField("step", row.step());
    json.writeStringField("parameter", row.parameter());
    json.writeNumberField("absolute", row.difference().absolute());
    json.writeNumberField("relative", row.difference().relative());
    json.writeNumberField("ulp", row.difference().ulp());
    json.writeNumberField("added", row.added());
    json.writeNumberField("allowed", row.allowed());
    json.writeEndObject();
  }
}
