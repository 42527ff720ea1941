package dev.gradus.examples.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/** All that was found, as JSON for programs and as Markdown for people. */
public final class CheckReport {
  /** The names of the two files. */
  public static final List<String> FILES = List.of("gpu-check.json", "gpu-check.md");

  /** Of equal reasons for skipping only so many tests are named. */
  private static final int NAMED = 3;

  private final boolean quick;
  private final Map<String, String> environment;
  private final JsonNode doctor;
  private final List<CheckPart> parts = new ArrayList<>();

  /**
   * A report without parts yet.
   *
   * @param quick whether speeds are only a sign of life
   * @param environment what is known of the machine, which may grow
   * @param doctor the report of the backends
   */
  public CheckReport(boolean quick, Map<String, String> environment, JsonNode doctor) {
    this.quick = quick;
    this.environment = environment;
    this.doctor = doctor;
  }

  /** Adds a part that is done. */
  public void add(CheckPart part) {
    parts.add(part);
  }

  /** Whether something is wrong. */
  public boolean failed() {
    return parts.stream().anyMatch(CheckPart::failed);
  }

  /**
   * Writes both files, each at once: whoever reads one sees a whole report.
   *
   * @param folder where; it is there
   */
  public void write(Path folder) throws IOException {
    replace(folder.resolve(FILES.get(0)), json());
    replace(folder.resolve(FILES.get(1)), markdown());
  }

  private static void replace(Path file, String text) throws IOException {
    Path made = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      Files.writeString(made, text);
      Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(made);
    }
  }

  // ---- JSON

  private String json() throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode all = mapper.createObjectNode();
    all.put("format", 1);
    all.put("quick", quick);
    all.put("failed", failed());
    all.set("environment", mapper.valueToTree(environment));
    all.set("doctor", doctor);
    ArrayNode array = all.putArray("parts");
    for (CheckPart part : parts) {
      ObjectNode p = array.addObject();
      p.put("name", part.name()).put("seconds", part.seconds()).put("problem", part.problem());
      for (CheckItem.Outcome outcome : CheckItem.Outcome.values()) {
        p.put(word(outcome), part.count(outcome));
      }
      ArrayNode items = p.putArray("items");
      for (CheckItem item : part.items()) {
        ObjectNode i = items.addObject();
        i.put("name", item.name()).put("outcome", word(item.outcome()));
        i.put("message", item.message());
        i.set("values", mapper.valueToTree(item.values()));
      }
    }
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n";
  }

  private static String word(CheckItem.Outcome outcome) {
    return outcome.name().toLowerCase(Locale.ROOT);
  }

  // ---- Markdown

  private String markdown() {
    StringBuilder page = new StringBuilder("# gradus gpu-check\n\n");
    page.append(failed() ? "Something failed." : "Nothing failed.");
    page.append(quick ? " The quick check: its times say nothing about speed.\n\n" : "\n\n");
    row(page, "part", "result", "seconds");
    page.append("|---|---|---:|\n");
    for (CheckPart part : parts) {
      row(page, part.name(), part.toString(), String.format(Locale.ROOT, "%.1f", part.seconds()));
    }
    page.append("\n## Environment\n\n");
    row(page, "what", "value");
    page.append("|---|---|\n");
    environment.forEach((name, value) -> row(page, name, value));
    for (JsonNode backend : doctor.path("backends")) {
      String name = backend.path("name").asText();
      row(page, "backend " + name, backend.path("status").asText());
      for (Map.Entry<String, JsonNode> e : backend.path("versions").properties()) {
        row(page, name + ": " + e.getKey(), e.getValue().asText());
      }
    }
    parts.forEach(part -> markdown(part, page));
    return page.toString();
  }

  private static void markdown(CheckPart part, StringBuilder page) {
    page.append("\n## ").append(part.name()).append("\n\n").append(part).append(".\n");
    List<CheckItem> failed = with(part, CheckItem.Outcome.FAILED);
    if (!failed.isEmpty()) {
      page.append("\n");
      row(page, "failed", "why");
      page.append("|---|---|\n");
      failed.forEach(i -> row(page, i.name(), i.message()));
    }
    Map<String, List<String>> skipped = new LinkedHashMap<>();
    for (CheckItem i : with(part, CheckItem.Outcome.SKIPPED)) {
      skipped.computeIfAbsent(i.message(), k -> new ArrayList<>()).add(i.name());
    }
    if (!skipped.isEmpty()) {
      page.append("\n");
      row(page, "skipped, because", "how many", "among them");
      page.append("|---|---:|---|\n");
      skipped.forEach(
          (why, names) ->
              row(
                  page,
                  why,
                  String.valueOf(names.size()),
                  String.join(", ", names.subList(0, Math.min(NAMED, names.size())))));
    }
    measured(part, page);
  }

  private static List<CheckItem> with(CheckPart part, CheckItem.Outcome outcome) {
    return part.items().stream().filter(i -> i.outcome() == outcome).toList();
  }

  /** A table of what was measured, a column for each name of a value. */
  private static void measured(CheckPart part, StringBuilder page) {
    List<String> names =
        part.items().stream().flatMap(i -> i.values().keySet().stream()).distinct().toList();
    if (names.isEmpty()) {
      return;
    }
    List<String> head = new ArrayList<>(List.of("what"));
    head.addAll(names);
    page.append("\n");
    row(page, head.toArray(new String[0]));
    page.append("|---").append("|---:".repeat(names.size())).append("|\n");
    for (CheckItem item : part.items()) {
      if (!item.values().isEmpty()) {
        List<String> cells = new ArrayList<>(List.of(item.name()));
        names.forEach(n -> cells.add(figure(Objects.requireNonNullElse(item.values().get(n), ""))));
        row(page, cells.toArray(new String[0]));
      }
    }
  }

  /** Three digits: 0.123, 1.23, 12.3, 1,234. */
  private static String figure(Object value) {
    if (!(value instanceof Double x)) {
      return String.valueOf(value);
    }
    int decimals = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%,." + decimals + "f", x);
  }

  private static void row(StringBuilder page, String... cells) {
    for (String cell : cells) {
      page.append("| ").append(cell.replaceAll("\\s+", " ").replace("|", "\\|")).append(' ');
    }
    page.append("|\n");
  }
}
