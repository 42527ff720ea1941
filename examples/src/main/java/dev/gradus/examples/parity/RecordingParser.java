package dev.gradus.examples.parity;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gradus.examples.parity.Recording.Gradient;
import dev.gradus.examples.parity.Recording.Group;
import dev.gradus.examples.parity.Recording.Start;
import dev.gradus.examples.parity.Recording.Step;
import dev.gradus.io.SafeTensorsReader;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads the description of a recording and checks every rule, before anything is computed. */
final class RecordingParser {
  private static final String FORMAT = "gradus.recording.1";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path file;
  private final @Nullable SafeTensorsReader tensors;
  private final RecordedValues values;
  private final Map<String, Start> parameters = new LinkedHashMap<>();

  /**
   * A parser.
   *
   * @param file for messages
   * @param tensors where the values stand; null where they stand in the description
   */
  RecordingParser(Path file, @Nullable SafeTensorsReader tensors) {
    this.file = file;
    this.tensors = tensors;
    this.values = new RecordedValues(file, tensors);
  }

  Recording parse(String text) throws MalformedRecordingException {
    JsonNode root = tree(text);
    String where = "the recording";
    requireObject(root, where);
    if (!FORMAT.equals(root.path("format").asText())) {
      throw malformed(
          "its format is "
              + Quoted.of(root.path("format").asText())
              + "; this program reads '"
              + FORMAT
              + "', see docs/parity.md");
    }
    requireKeys(
        root, where, Set.of("format", "optimizer", "parameters", "steps"), Set.of("source"));
    String optimizer = root.get("optimizer").asText();
    Optimizers.Kind<?> kind = Optimizers.named(optimizer);
    if (kind == null) {
      throw malformed(unknown(optimizer));
    }
    readParameters(root.get("parameters"));
    List<Step> steps = readSteps(root.get("steps"), optimizer, kind);
    return new Recording(
        file,
        Quoted.plain(root.path("source").asText()),
        optimizer,
        kind,
        Collections.unmodifiableMap(parameters),
        List.copyOf(steps),
        tensors);
  }

  private JsonNode tree(String text) throws MalformedRecordingException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      // There is no place where JSON is not wrong, but nested too deeply.
      JsonLocation at = e.getLocation();
      String place =
          at == null ? "" : "line " + at.getLineNr() + ", column " + at.getColumnNr() + ": ";
      throw new MalformedRecordingException(
          file, "its description is not JSON: " + place + Quoted.plain(e.getOriginalMessage()), e);
    }
  }

  private static String unknown(String optimizer) {
    return optimizer.equals("LBFGS")
        ? "LBFGS cannot be replayed: it asks for the loss at points of its own choice, which no"
            + " recording holds"
        : "optimizer "
            + Quoted.of(optimizer)
            + " is unknown; there are "
            + Quoted.all(Optimizers.names());
  }

  // ---- parameters

  private void readParameters(JsonNode all) throws MalformedRecordingException {
    requireObject(all, "parameters");
    for (Map.Entry<String, JsonNode> e : all.properties()) {
      String where = "parameter " + Quoted.of(e.getKey());
      JsonNode node = e.getValue();
      if (e.getKey().isBlank() || e.getKey().chars().anyMatch(Character::isISOControl)) {
        throw malformed(where + ": a name is not blank and has no control characters");
      }
      requireObject(node, where);
      requireKeys(node, where, Set.of("dtype", "shape", "initial"), Set.of());
      DType dtype = dtype(node.get("dtype").asText(), where);
      Shape shape = shape(node.get("shape"), where);
      parameters.put(
          e.getKey(),
          new Start(dtype, shape, values.read(node.get("initial"), dtype, shape, where)));
    }
  }

  private DType dtype(String label, String where) throws MalformedRecordingException {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      if (dtype.label().equals(label)) {
        return dtype;
      }
    }
    throw malformed(
        where + ": its dtype is " + Quoted.of(label) + "; float32 and float64 can be replayed");
  }

  private Shape shape(JsonNode sizes, String where) throws MalformedRecordingException {
    requireList(sizes, where + ": shape");
    long[] dims = new long[sizes.size()];
    for (int i = 0; i < dims.length; i++) {
      if (!sizes.path(i).isIntegralNumber() || !sizes.path(i).canConvertToLong()) {
        throw malformed(where + ": its shape is not a list of whole numbers");
      }
      dims[i] = sizes.path(i).asLong();
    }
    try {
      return Shape.of(dims);
    } catch (IllegalArgumentException e) {
      throw new MalformedRecordingException(file, where + ": " + e.getMessage(), e);
    }
  }

  // ---- steps

  private List<Step> readSteps(JsonNode all, String optimizer, Optimizers.Kind<?> kind)
      throws MalformedRecordingException {
    if (!all.isArray() || all.isEmpty()) {
      throw malformed("there are no steps; steps is a list of at least one");
    }
    List<Step> steps = new ArrayList<>();
    List<Group> groups = List.of();
    for (JsonNode node : all) {
      int number = steps.size() + 1;
      String where = "step " + number;
      requireObject(node, where);
      if (!node.path("step").isInt() || node.path("step").intValue() != number) {
        throw malformed(
            "step "
                + Quoted.plain(node.path("step").toString())
                + " stands where step "
                + number
                + " is expected; steps are numbered 1, 2, 3, … and stand in this order");
      }
      requireKeys(node, where, Set.of("step", "gradients", "values"), Set.of("groups"));
      if (node.has("groups")) {
        groups = readGroups(node.get("groups"), where, groups, optimizer, kind);
      }
      if (groups.isEmpty()) {
        throw malformed(where + ": there are no groups; the first step names them");
      }
      steps.add(readStep(node, where, groups));
    }
    return steps;
  }

  private Step readStep(JsonNode node, String where, List<Group> groups)
      throws MalformedRecordingException {
    Set<String> members = new LinkedHashSet<>();
    groups.forEach(g -> members.addAll(g.parameters()));
    JsonNode gradients = node.get("gradients");
    JsonNode results = node.get("values");
    requireMembers(gradients, where, "gradient", members);
    requireMembers(results, where, "value", members);
    Map<String, Gradient> byName = new HashMap<>();
    Map<String, Recording.Values> after = new HashMap<>();
    for (String name : members) {
      Start start = start(name);
      String of = where + ": gradient of " + Quoted.of(name);
      JsonNode gradient = gradients.get(name);
      if (!gradient.isNull()) {
        byName.put(
            name,
            gradient.isObject()
                ? rows(gradient, start, of)
                : new Gradient(null, values.read(gradient, start.dtype(), start.shape(), of)));
      }
      after.put(
          name,
          values.read(
              results.get(name),
              start.dtype(),
              start.shape(),
              where + ": value of " + Quoted.of(name)));
    }
    return new Step(groups, byName, after);
  }

  private Gradient rows(JsonNode node, Start start, String where)
      throws MalformedRecordingException {
    requireKeys(node, where, Set.of("rows", "values"), Set.of());
    if (start.shape().rank() != 2) {
      throw malformed(
          where
              + ": it is given as rows but the parameter is "
              + start.shape()
              + "; give all of it");
    }
    long count = values.count(node.get("rows"), where);
    Recording.Values rows = values.read(node.get("rows"), DType.I64, Shape.of(count), where);
    Shape shape = Shape.of(count, start.shape().dim(1));
    return new Gradient(rows, values.read(node.get("values"), start.dtype(), shape, where));
  }

  private Start start(String parameter) {
    return Objects.requireNonNull(parameters.get(parameter), parameter);
  }

  private void requireMembers(JsonNode node, String where, String what, Set<String> members)
      throws MalformedRecordingException {
    requireObject(node, where + ": " + what + "s");
    for (String name : members) {
      if (!node.has(name)) {
        throw malformed(
            where
                + ": the "
                + what
                + " of "
                + Quoted.of(name)
                + " is missing"
                + (what.equals("gradient") ? "; write null where it had none" : ""));
      }
    }
    for (Map.Entry<String, JsonNode> e : node.properties()) {
      if (!members.contains(e.getKey())) {
        throw malformed(
            where + ": there is a " + what + " of " + Quoted.of(e.getKey()) + ", in no group");
      }
    }
  }

  // ---- groups

  private List<Group> readGroups(
      JsonNode all, String where, List<Group> before, String optimizer, Optimizers.Kind<?> kind)
      throws MalformedRecordingException {
    requireList(all, where + ": groups");
    List<Group> groups = new ArrayList<>();
    Map<String, String> groupOf = new HashMap<>();
    Set<String> names = new LinkedHashSet<>();
    for (JsonNode node : all) {
      Group group = readGroup(node, where, optimizer, kind);
      String who = where + ": group " + Quoted.of(group.name());
      if (!names.add(group.name())) {
        throw malformed(who + " comes twice; each has a name of its own");
      }
      for (String name : group.parameters()) {
        String other = groupOf.put(name, group.name());
        if (!parameters.containsKey(name)) {
          throw malformed(who + ": " + Quoted.of(name) + " is none of the parameters");
        }
        if (other != null) {
          throw malformed(
              who + ": parameter " + Quoted.of(name) + " is in group " + Quoted.of(other) + " too");
        }
      }
      groups.add(group);
    }
    for (int i = 0; i < before.size(); i++) {
      if (i >= groups.size() || !isContinued(before.get(i), groups.get(i))) {
        throw malformed(
            where
                + ": group "
                + Quoted.of(before.get(i).name())
                + " does not keep its place and its parameters; groups may be added behind those"
                + " that are there, and options may change");
      }
    }
    return List.copyOf(groups);
  }

  private static boolean isContinued(Group before, Group now) {
    return before.name().equals(now.name()) && before.parameters().equals(now.parameters());
  }

  private Group readGroup(JsonNode node, String where, String optimizer, Optimizers.Kind<?> kind)
      throws MalformedRecordingException {
    requireObject(node, where + ": a group");
    requireKeys(node, where + ": a group", Set.of("name", "parameters", "options"), Set.of());
    String name = text(node.get("name"), where + ": the name of a group");
    String who = where + ": group " + Quoted.of(name);
    requireList(node.get("parameters"), who + ": parameters");
    List<String> members = new ArrayList<>();
    for (JsonNode member : node.get("parameters")) {
      members.add(text(member, who + ": a parameter's name"));
    }
    if (members.isEmpty() || name.isBlank()) {
      throw malformed(who + ": a group has a name and at least one parameter");
    }
    JsonNode given = node.get("options");
    requireObject(given, who + ": options");
    Map<String, Object> options = new TreeMap<>();
    for (Map.Entry<String, JsonNode> e : given.properties()) {
      options.put(e.getKey(), option(e.getValue(), who + ": option " + Quoted.of(e.getKey())));
    }
    try {
      kind.options(options);
    } catch (IllegalArgumentException e) {
      throw new MalformedRecordingException(
          file, who + ": " + optimizer + ": " + e.getMessage(), e);
    }
    return new Group(name, List.copyOf(members), Collections.unmodifiableMap(options));
  }

  private Object option(JsonNode node, String where) throws MalformedRecordingException {
    if (node.isNumber()) {
      return node.doubleValue();
    }
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    if (node.isTextual()) {
      return node.textValue();
    }
    if (node.isNull()) {
      return "None";
    }
    if (!node.isArray()) {
      throw malformed(
          where
              + " is "
              + Quoted.of(node.toString())
              + "; it takes a number, a truth value, a text or a list");
    }
    List<Object> list = new ArrayList<>();
    for (JsonNode element : node) {
      list.add(option(element, where));
    }
    return list;
  }

  // ---- rules

  private void requireObject(JsonNode node, String where) throws MalformedRecordingException {
    if (!node.isObject()) {
      throw malformed(where + ": an object is expected, as docs/parity.md describes it");
    }
  }

  private void requireList(JsonNode node, String where) throws MalformedRecordingException {
    if (!node.isArray()) {
      throw malformed(where + ": a list is expected, as docs/parity.md describes it");
    }
  }

  private String text(JsonNode node, String where) throws MalformedRecordingException {
    if (!node.isTextual()) {
      throw malformed(where + " is " + Quoted.plain(node.toString()) + "; it is a text");
    }
    return node.textValue();
  }

  private void requireKeys(JsonNode node, String where, Set<String> needed, Set<String> allowed)
      throws MalformedRecordingException {
    for (String key : needed) {
      if (!node.has(key)) {
        throw malformed(where + ": '" + key + "' is missing");
      }
    }
    for (Map.Entry<String, JsonNode> e : node.properties()) {
      if (!needed.contains(e.getKey()) && !allowed.contains(e.getKey())) {
        throw malformed(where + ": " + Quoted.of(e.getKey()) + " is unknown");
      }
    }
  }

  private MalformedRecordingException malformed(String what) {
    return new MalformedRecordingException(file, what);
  }
}
