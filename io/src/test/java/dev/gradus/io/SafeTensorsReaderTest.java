package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads fixture.safetensors, which fixture.py beside it wrote. */
class SafeTensorsReaderTest {
  @TempDir Path folder;

  private final Device device = Device.over(new ReferenceBackend("ref"));
  private Path fixture;
  private SafeTensorsReader reader;

  @BeforeEach
  void openFixture() throws IOException {
    fixture = folder.resolve("fixture.safetensors");
    try (InputStream in = SafeTensorsReaderTest.class.getResourceAsStream("fixture.safetensors")) {
      Files.copy(in, fixture);
    }
    reader = SafeTensors.open(fixture);
  }

  @AfterEach
  void close() throws IOException {
    reader.close();
    device.close();
  }

  @Test
  void bitsAreThoseThatPyTorchSaved() throws IOException {
    for (String name : List.of("w", "nan", "half", "brain", "scalar", "empty")) {
      long[] expected = reader.read(name + ".bits", device).toLongArray();
      assertArrayEquals(
          expected, SafeTensorsTest.bits(reader.read(name, device).toFloatArray()), name);
    }
    assertArrayEquals(
        reader.read("d.bits", device).toLongArray(),
        SafeTensorsTest.bits(reader.read("d", device).toDoubleArray()));
    assertArrayEquals(
        new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 0, -1},
        reader.read("ids", device).toLongArray());
    assertArrayEquals(
        new boolean[] {true, false, false, true, true, false},
        reader.read("mask", device).toBooleanArray());
  }

  @Test
  void aPipeIsRefusedBeforeItIsOpened() throws Exception {
    Path pipe = folder.resolve("pipe");
    assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "no mkfifo");
    assertEquals(
        "SafeTensors.open: " + pipe + " is a pipe or a device; copy its content to a file",
        assertThrows(IOException.class, () -> SafeTensors.open(pipe)).getMessage());
  }

  @Test
  void aFileThatMayNotBeReadIsNamed() {
    assumeTrue(
        fixture.toFile().setReadable(false) && !Files.isReadable(fixture),
        "this user reads files without permission");
    assertEquals(
        fixture + ": SafeTensors.open: reading it is not permitted",
        assertThrows(AccessDeniedException.class, () -> SafeTensors.open(fixture)).getMessage());
  }

  @Test
  void tellsWhatIsInTheFile() {
    assertEquals(Map.of("format", "pt", "note", "Grüße"), reader.metadata());
    assertEquals("[3, 5]", reader.shape("w").toString());
    assertEquals("[]", reader.shape("scalar").toString());
    assertEquals("[0, 4]", reader.shape("empty").toString());
    assertEquals(DType.F32, reader.dtype("half"));
    assertEquals("F16", reader.storedType("half"));
    assertEquals("BF16", reader.storedType("brain"));
    assertEquals("U8", reader.storedType("bytes"));
    assertEquals(DType.BOOL, reader.dtype("mask"));
    assertEquals(17, reader.names().size());
  }

  @Test
  void smallFloatsGoIntoFloat32() throws IOException {
    Tensor target = device.zeros(16);
    reader.readInto("half", target);
    assertArrayEquals(
        reader.read("half.bits", device).toLongArray(),
        SafeTensorsTest.bits(target.toFloatArray()));
  }

  @Test
  void smallFloatsOfManyPartsAreWidened() throws IOException {
    int n = Parts.ELEMENTS + 3;
    Path file = folder.resolve("wide");
    String header =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[" + n + "],\"data_offsets\":[0," + 2 * n + "]}}";
    byte[] bytes = RawFile.of(header, 2 * n);
    ByteBuffer data =
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(8 + header.length());
    for (int i = 0; i < n; i++) {
      data.putShort((short) i);
    }
    Files.write(file, bytes);
    float[] read = SafeTensors.load(file, device).get("h").toFloatArray();
    for (int i = 0; i < n; i++) {
      assertEquals(
          Float.floatToRawIntBits(ElementType.fromF16((short) i)),
          Float.floatToRawIntBits(read[i]));
    }
  }

  @Test
  void whatStandsBehindTwoGibibytesIsRead() throws IOException {
    Path file = folder.resolve("large");
    long large = 3L << 30;
    String header =
        "{\"u\":{\"dtype\":\"U8\",\"shape\":["
            + large
            + "],\"data_offsets\":[0,"
            + large
            + "]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":["
            + large
            + ","
            + (large + 4)
            + "]}}";
    byte[] head = RawFile.of(header, 0);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.SPARSE,
            StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(head));
      ByteBuffer value = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 2.5f);
      channel.write(value, head.length + large);
    }
    try (SafeTensorsReader sparse = SafeTensors.open(file)) {
      assertEquals(2.5, sparse.read("a", device).item());
    }
  }

  @Test
  void aTypeThatCannotBeReadIsNamed() {
    String text =
        assertThrows(UnsupportedOperationException.class, () -> reader.read("bytes", device))
            .getMessage();
    assertTrue(text.contains(fixture + ": tensor 'bytes' is stored as U8, which"), text);
    assertTrue(text.contains("convert it to F32, F64, I64 or BOOL"), text);
    assertThrows(UnsupportedOperationException.class, () -> SafeTensors.load(fixture, device));
    text =
        assertThrows(
                IllegalArgumentException.class,
                () -> SafeTensors.loadInto(fixture, Map.of("bytes", device.zeros(8))))
            .getMessage();
    assertTrue(text.contains("'bytes' is stored as U8, which cannot be read"), text);
  }

  @Test
  void aNameThatIsNotThereIsToldWithThoseThatAre() {
    String text =
        assertThrows(IllegalArgumentException.class, () -> reader.read("x", device)).getMessage();
    assertTrue(text.contains("there is no tensor 'x'; there are 'brain.bits', 'd.bits'"), text);
  }

  @Test
  void readIntoRefusesAnotherShapeOrType() {
    String text =
        assertThrows(IllegalArgumentException.class, () -> reader.readInto("w", device.zeros(5, 3)))
            .getMessage();
    assertTrue(text.contains("'w' is [3, 5] in the file and [5, 3] here"), text);
    text =
        assertThrows(
                IllegalArgumentException.class,
                () -> reader.readInto("w", device.zeros(DType.F64, 3, 5)))
            .getMessage();
    assertTrue(text.contains("'w' is float32 in the file and float64 here; convert"), text);
  }

  @Test
  void truthsThatAreNeitherAreRefusedBeforeAnythingIsWritten() throws IOException {
    Path file = folder.resolve("truths");
    String header =
        "{\"b\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[4,6]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    byte[] bytes = RawFile.of(header, 6);
    bytes[bytes.length - 1] = 7;
    bytes[bytes.length - 3] = 7;
    Files.write(file, bytes);
    Tensor a = device.zeros(1);
    String text =
        assertThrows(
                MalformedFileException.class,
                () -> SafeTensors.loadInto(file, Map.of("a", a, "b", device.zeros(DType.BOOL, 2))))
            .getMessage();
    assertTrue(text.contains("tensor 'b': element 1 is 7; a BOOL is 0 or 1"), text);
    assertEquals(0, a.item());
  }

  @Test
  void aFileThatIsShortenedWhileOpenIsRefused() throws IOException {
    try (FileChannel channel = FileChannel.open(fixture, StandardOpenOption.WRITE)) {
      channel.truncate(Files.size(fixture) - 100);
    }
    String text =
        assertThrows(MalformedFileException.class, () -> reader.read("w", device)).getMessage();
    assertTrue(text.contains("tensor 'w': the file became shorter while open"), text);
  }
}
