package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Linear;
import dev.gradus.nn.Module;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsTest {
  @TempDir Path folder;

  private final ReferenceBackend backend = new ReferenceBackend("ref");
  private final Device device = Device.over(backend);
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("model.safetensors");
  }

  @AfterEach
  void closeDevice() {
    device.close();
  }

  private Map<String, Tensor> oneOfEach() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    all.put("mask", device.tensor(new boolean[] {true, false, true}, 3, 1));
    all.put("w", device.tensor(new float[] {1, -0.0f, Float.NaN, 1e-45f, 3, 4}, 2, 3));
    all.put("ids", device.tensor(new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 7}));
    all.put("b", device.tensor(new float[] {0.5f}, 1));
    all.put("d", device.tensor(new double[] {Math.PI, Double.MIN_VALUE}));
    all.put("scalar", device.scalar(2.5));
    all.put("empty", device.zeros(0, 4));
    all.put("Grüße/🙂 \"\\\n", device.zeros(1));
    return all;
  }

  static void assertSameValues(Tensor expected, Tensor actual) {
    assertEquals(expected.dtype(), actual.dtype());
    assertEquals(expected.shape(), actual.shape());
    switch (expected.dtype()) {
      case F32 -> assertArrayEquals(bits(expected.toFloatArray()), bits(actual.toFloatArray()));
      case F64 -> assertArrayEquals(bits(expected.toDoubleArray()), bits(actual.toDoubleArray()));
      case I64 -> assertArrayEquals(expected.toLongArray(), actual.toLongArray());
      case BOOL -> assertArrayEquals(expected.toBooleanArray(), actual.toBooleanArray());
    }
  }

  static long[] bits(float[] values) {
    long[] bits = new long[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }

  static long[] bits(double[] values) {
    return Arrays.stream(values).mapToLong(Double::doubleToRawLongBits).toArray();
  }

  // ---- round trips

  @Test
  void everyTypeComesBackBitForBit() throws IOException {
    Map<String, Tensor> saved = oneOfEach();
    SafeTensors.save(file, saved, Map.of("note", "Grüße \"\\\n", "", "empty key"));
    Map<String, Tensor> loaded = SafeTensors.load(file, device);
    assertEquals(saved.keySet(), loaded.keySet());
    saved.forEach((name, t) -> assertSameValues(t, loaded.get(name)));
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals(Map.of("note", "Grüße \"\\\n", "", "empty key"), reader.metadata());
      assertTrue(reader.aliases().isEmpty());
    }
  }

  @Test
  void nothingAtAllComesBack() throws IOException {
    SafeTensors.save(file, Map.of());
    assertTrue(SafeTensors.load(file, device).isEmpty());
  }

  @Test
  void tensorsOfManyPartsComeBack() throws IOException {
    manyPartsComeBack(device);
  }

  @Test
  void tensorsOfManyPartsComeBackOnTheCpu() throws IOException {
    try (Device cpu = Device.open("cpu")) {
      manyPartsComeBack(cpu);
      Tensor t = cpu.tensor(new float[] {1, 2, Float.NaN});
      SafeTensors.save(file, Map.of("t", t));
      assertSameValues(t, SafeTensors.load(file, device).get("t"));
    }
  }

  private void manyPartsComeBack(Device device) throws IOException {
    int n = 2 * Parts.ELEMENTS + 77;
    long[] ids = new long[n];
    Arrays.setAll(ids, i -> i * 0x9E3779B97F4A7C15L);
    float[] floats = new float[Parts.ELEMENTS];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = i;
    }
    boolean[] truths = new boolean[Parts.ELEMENTS + 1];
    for (int i = 0; i < truths.length; i++) {
      truths[i] = i % 3 == 0;
    }
    Map<String, Tensor> saved =
        Map.of("ids", device.tensor(ids), "f", device.tensor(floats), "t", device.tensor(truths));
    SafeTensors.save(file, saved);
    Map<String, Tensor> loaded = SafeTensors.load(file, device);
    saved.forEach((name, t) -> assertSameValues(t, loaded.get(name)));
    Map<String, Tensor> targets =
        Map.of(
            "ids", device.zeros(DType.I64, n),
            "f", device.zeros(Parts.ELEMENTS),
            "t", device.zeros(DType.BOOL, truths.length));
    SafeTensors.loadInto(file, targets);
    saved.forEach((name, t) -> assertSameValues(t, targets.get(name)));
  }

  @Test
  void aTransposeIsSavedInItsOwnOrder() throws IOException {
    Tensor t = device.tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).transpose(0, 1);
    SafeTensors.save(file, Map.of("t", t));
    assertArrayEquals(
        new float[] {1, 4, 2, 5, 3, 6}, SafeTensors.load(file, device).get("t").toFloatArray());
  }

  @Test
  void loadedTensorsBelongToTheScopeOfTheCaller() throws IOException {
    SafeTensors.save(file, Map.of("a", device.zeros(Parts.ELEMENTS + 1), "b", device.zeros(2)));
    try (Scope scope = Scope.open()) {
      SafeTensors.load(file, device);
      assertEquals(2, scope.size());
    }
  }

  // ---- bytes

  @Test
  void theSameTensorsGiveTheSameBytesInAnyOrder() throws IOException {
    Map<String, Tensor> saved = oneOfEach();
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("z", "1");
    texts.put("a", "2");
    SafeTensors.save(file, saved, texts);
    byte[] first = Files.readAllBytes(file);
    SafeTensors.save(file, new HashMap<>(saved), new HashMap<>(texts));
    assertArrayEquals(first, Files.readAllBytes(file));
  }

  @Test
  void theHeaderHasGreaterTypesFirstThenNames() throws IOException {
    Map<String, Tensor> saved = new LinkedHashMap<>();
    saved.put("mask", device.tensor(new boolean[] {true}));
    saved.put("b", device.zeros(2, 1));
    saved.put("a", device.scalar(1));
    saved.put("ids", device.arange(1));
    SafeTensors.save(file, saved, Map.of("k", "v"));
    assertEquals(
        "{\"__metadata__\":{\"k\":\"v\"},"
            + "\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[12,20]},"
            + "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[20,21]}}",
        RawFile.header(file));
    assertEquals(0, (Files.size(file) - 21) % 8);
  }

  // ---- tied tensors

  private static final class Tied extends Module {
    final Linear first;
    final Parameter head;
    final Tensor steps;

    Tied(Device device) {
      first = register("first", new Linear(device, 3, 2));
      head = registerParameter("head", first.namedParameters().get("weight"));
      steps = registerBuffer("steps", device.tensor(new long[] {5, 6}));
    }
  }

  @Test
  void tiedParametersStandOnceAndComeBackTied() throws IOException {
    Tied model = new Tied(device);
    SafeTensors.save(file, model, Map.of("epoch", "3"));
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals(List.of("steps", "first.bias", "head"), reader.names());
      assertEquals(Map.of("first.weight", "head"), reader.aliases());
      assertEquals(Map.of("epoch", "3"), reader.metadata());
      assertEquals(reader.shape("head"), reader.shape("first.weight"));
      assertTrue(reader.contains("first.weight"));
    }
    Map<String, Tensor> loaded = SafeTensors.load(file, device);
    assertSame(loaded.get("head"), loaded.get("first.weight"));

    device.manualSeed(9);
    Tied other = new Tied(device);
    SafeTensors.loadInto(file, other);
    model.stateDict().forEach((name, t) -> assertSameValues(t, other.stateDict().get(name)));
    assertTrue(other.head.requiresGrad());
  }

  @Test
  void aModuleComesBackWithItsTextsFromOneOpening() throws IOException {
    Tied model = new Tied(device);
    SafeTensors.save(file, model);
    device.manualSeed(9);
    Tied other = new Tied(device);
    try (SafeTensorsReader reader = SafeTensors.open(file)) {
      assertEquals(Map.of(), reader.metadata());
      reader.loadInto(other);
      assertSameValues(model.head, other.head);
      reader.loadInto(
          Map.of(
              "steps",
              device.zeros(DType.I64, 2),
              "first.bias",
              device.zeros(2),
              "head",
              other.head,
              "first.weight",
              other.head));
    }
    assertSameValues(model.steps, other.steps);
  }

  @Test
  void oneNameOfATiedParameterSuffices() throws IOException {
    Tied model = new Tied(device);
    Map<String, Tensor> state = new LinkedHashMap<>(model.stateDict());
    state.remove("head");
    SafeTensors.save(file, state);
    device.manualSeed(9);
    Tied other = new Tied(device);
    SafeTensors.loadInto(file, other);
    assertSameValues(model.head, other.head);
  }

  @Test
  void aliasesFillSeparateTensors() throws IOException {
    Tensor t = device.tensor(new float[] {1, 2});
    Map<String, Tensor> tied = new LinkedHashMap<>();
    tied.put("a", t);
    tied.put("b", t.detach());
    SafeTensors.save(file, tied);
    Map<String, Tensor> apart = Map.of("a", device.zeros(2), "b", device.zeros(2));
    SafeTensors.loadInto(file, apart);
    assertSameValues(t, apart.get("a"));
    assertSameValues(t, apart.get("b"));
  }

  @Test
  void sharedMemoryInAnotherShapeIsNoAlias() throws IOException {
    Tensor t = device.tensor(new float[] {1, 2});
    Map<String, Tensor> both = new LinkedHashMap<>();
    both.put("a", t);
    both.put("row", t.reshape(1, 2));
    SafeTensors.save(file, both);
    Map<String, Tensor> loaded = SafeTensors.load(file, device);
    assertNotSame(loaded.get("a"), loaded.get("row"));
    assertEquals("[1, 2]", loaded.get("row").shape().toString());
  }

  // ---- refusals

  private void refusesToSave(String words, Map<String, Tensor> tensors, Map<String, String> texts)
      throws IOException {
    Files.writeString(file, "old");
    String text =
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.save(file, tensors, texts))
            .getMessage();
    assertTrue(text.startsWith("SafeTensors.save: ") && text.contains(words), text);
    assertOldFileAlone();
  }

  private void assertOldFileAlone() throws IOException {
    assertEquals("old", Files.readString(file));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  @Test
  void namesAndTextsThatNoFileCanHoldAreRefused() throws IOException {
    Tensor t = device.zeros(1);
    refusesToSave("a tensor is named '__metadata__'", Map.of("__metadata__", t), Map.of());
    refusesToSave("the name 'a?' has more than", Map.of("a\ud800", t), Map.of());
    refusesToSave("choose another", Map.of("n".repeat(10_000), t), Map.of());
    refusesToSave(
        "the metadata key 'gradus.alias.a' begins with", Map.of(), Map.of("gradus.alias.a", "b"));
    refusesToSave("write binary data as Base64", Map.of(), Map.of("k", "\udc00"));
    refusesToSave("write binary data as Base64", Map.of(), Map.of("k".repeat(10_001), ""));
    refusesToSave(
        "the format allows 100000000", Map.of(), Map.of("k", "v".repeat(HeaderParser.MAX_BYTES)));
  }

  @Test
  void theLongestNameComesBackAsAnAlias() throws IOException {
    Tensor t = device.ones(1);
    Map<String, Tensor> tied = new LinkedHashMap<>();
    tied.put("a", t);
    tied.put("n".repeat(10_000 - Names.ALIAS.length()), t);
    SafeTensors.save(file, tied);
    assertEquals(tied.keySet(), SafeTensors.load(file, device).keySet());
  }

  @Test
  void aReleasedTensorIsRefusedBeforeTheFileIsTouched() throws IOException {
    Files.writeString(file, "old");
    Tensor dead = device.zeros(2);
    dead.close();
    String text =
        assertThrows(
                IllegalStateException.class, () -> SafeTensors.save(file, Map.of("dead", dead)))
            .getMessage();
    assertTrue(text.contains("tensor 'dead': tensor [2] was released"), text);
    assertOldFileAlone();
  }

  private Backend withoutDownload() {
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, args) -> {
              if (method.getName().equals("download")) {
                throw new BackendException("broken: the device is gone");
              }
              return method.invoke(backend, args);
            });
  }

  @Test
  void aFailureWhileWritingLeavesTheOldFile() throws IOException {
    Files.writeString(file, "old");
    Device broken = Device.over(withoutDownload());
    Tensor t = broken.zeros(3);
    assertThrows(BackendException.class, () -> SafeTensors.save(file, Map.of("t", t)));
    assertOldFileAlone();
  }

  @Test
  void aFolderThatIsNotThereIsNamed() {
    Path lost = folder.resolve("no/such/model.safetensors");
    String text =
        assertThrows(NoSuchFileException.class, () -> SafeTensors.save(lost, Map.of()))
            .getMessage();
    assertTrue(text.contains("there is no folder " + folder.resolve("no/such")), text);
    assertTrue(text.contains("create it first"), text);
  }

  @Test
  void aFolderIsNoFile() {
    String text =
        assertThrows(IOException.class, () -> SafeTensors.save(folder, Map.of())).getMessage();
    assertTrue(text.contains("is a folder; name the file to write in it"), text);
    text = assertThrows(IOException.class, () -> SafeTensors.open(folder)).getMessage();
    assertTrue(text.contains("is a folder; name the safetensors file in it"), text);
    text = assertThrows(NoSuchFileException.class, () -> SafeTensors.open(file)).getMessage();
    assertTrue(text.contains("there is no such file; check the path"), text);
  }

  @Test
  void anInterruptedSaveLeavesTheOldFile() throws IOException {
    Files.writeString(file, "old");
    Tensor t = device.zeros(3);
    Thread.currentThread().interrupt();
    try {
      assertThrows(IOException.class, () -> SafeTensors.save(file, Map.of("t", t)));
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertOldFileAlone();
  }

  @Test
  void aClosedReaderSaysSo() throws IOException {
    SafeTensors.save(file, Map.of("a", device.zeros(1)));
    SafeTensorsReader reader = SafeTensors.open(file);
    reader.close();
    reader.close();
    String text =
        assertThrows(IllegalStateException.class, () -> reader.read("a", device)).getMessage();
    assertTrue(text.contains("was closed; open it again"), text);
    text = assertThrows(IllegalStateException.class, () -> reader.loadInto(Map.of())).getMessage();
    assertTrue(text.contains("was closed; open it again"), text);
  }
}
