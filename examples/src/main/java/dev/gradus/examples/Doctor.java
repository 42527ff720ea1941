package dev.gradus.examples;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.gradus.spi.BackendReport;
import dev.gradus.spi.Backends;
import dev.gradus.spi.Probe;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gradus doctor}: what can compute on this machine, what cannot, why, and the remedy. */
@Command(
    name = "doctor",
    description = "Reports which backends work here, and why others do not.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:a backend works",
      "1:none works",
      "3:the one required by --require does not"
    })
final class Doctor implements Callable<Integer> {
  private static final int REQUIRED_IS_MISSING = 3;

  @Mixin private Context context = new Context();

  @Option(names = "--json", description = "Prints the report as JSON.")
  private boolean json;

  @Option(
      names = "--require",
      paramLabel = "BACKEND",
      description = "Ends with exit code 3 unless this backend works, as cuda.")
  private @Nullable String required;

  @Override
  public Integer call() throws IOException {
    BackendReport report = Backends.report();
    PrintWriter out = context.out();
    out.print(json ? toJson(report) : report.toString());
    out.flush();
    if (required != null && !works(report, required)) {
      context.err().println("gradus: " + reason(report, required));
      return REQUIRED_IS_MISSING;
    }
    boolean any = report.candidates().stream().anyMatch(c -> usable(c));
    return any ? ExitCode.OK : ExitCode.SOFTWARE;
  }

  private static boolean usable(BackendReport.Candidate c) {
    return c.probe().status() == Probe.Status.USABLE;
  }

  /** Whether a backend, or one of its devices, can be used. */
  static boolean works(BackendReport report, String name) {
    return report.candidates().stream()
        .anyMatch(c -> usable(c) && (c.name().equals(name) || c.probe().devices().contains(name)));
  }

  /** Why a backend cannot be used, and the remedy. */
  static String reason(BackendReport report, String name) {
    for (BackendReport.Candidate c : report.candidates()) {
      if (c.name().equals(name)) {
        return String.format(
            Locale.ROOT,
            "backend '%s' is not usable: %s (%s)",
            name,
            c.probe().reason(),
            c.probe().remedy());
      }
    }
    return String.format(
        Locale.ROOT,
        "backend '%s' was not found; there are: %s",
        name,
        String.join(", ", report.candidates().stream().map(c -> c.name()).toList()));
  }

  /** The report as a JSON object. */
  static String toJson(BackendReport report) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      // One form on every system, so that no carriage returns come in.
      DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
      json.setPrettyPrinter(new DefaultPrettyPrinter().withObjectIndenter(indenter));
      json.writeStartObject();
      json.writeStringField("chosen", report.chosen());
      json.writeStringField("decidedBy", report.decidedBy());
      json.writeStringField("problem", report.problem());
      json.writeArrayFieldStart("backends");
      for (BackendReport.Candidate c : report.candidates()) {
        write(json, c);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text + "\n";
  }

  private static void write(JsonGenerator json, BackendReport.Candidate candidate)
      throws IOException {
    Probe probe = candidate.probe();
    json.writeStartObject();
    json.writeStringField("name", candidate.name());
    json.writeNumberField("priority", candidate.priority());
    json.writeStringField("status", probe.status().name().toLowerCase(Locale.ROOT));
    json.writeStringField("reason", probe.reason());
    json.writeStringField("remedy", probe.remedy());
    json.writeArrayFieldStart("devices");
    for (String device : probe.devices()) {
      json.writeString(device);
    }
    json.writeEndArray();
    json.writeObjectFieldStart("versions");
    for (Map.Entry<String, String> e : probe.versions().entrySet()) {
      json.writeStringField(e.getKey(), e.getValue());
    }
    json.writeEndObject();
    json.writeStringField("cause", probe.cause() == null ? null : probe.cause().toString());
    json.writeEndObject();
  }
}
