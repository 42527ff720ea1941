package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.io.SafeTensors;
import dev.gradus.tensor.Device;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class NamesFileTest {
  private static final NamesSizes SMALL =
      new NamesSizes(
          Map.of("context", 5, "embedding", 3, "hidden", 7, "dim", 8, "heads", 2, "blocks", 1));

  @TempDir private Path folder;

  private final Device device = Device.open("cpu");

  @AfterEach
  void close() {
    device.close();
  }

  @ParameterizedTest
  @EnumSource
  void whatIsSavedIsLoaded(NamesKind kind) throws Exception {
    Path file = folder.resolve("model.safetensors");
    NamesModel saved = kind.create(device, SMALL);
    NamesFile.save(file, saved);
    NamesModel loaded = NamesFile.load(file, device);
    assertEquals(kind, loaded.kind());
    assertEquals(saved.toString(), loaded.toString());
    assertEquals(saved.longest(), loaded.longest());
    saved
        .stateDict()
        .forEach(
            (name, tensor) ->
                assertArrayEquals(
                    tensor.toFloatArray(), loaded.stateDict().get(name).toFloatArray(), name));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      nullValues = "none",
      textBlock =
          """
          model | none | missing | 'names-mlp' or 'names-gpt'
          model | digits | 'digits' | 'names-mlp' or 'names-gpt'
          alphabet | abc | 'abc' | '.abcdefghijklmnopqrstuvwxyz'
          hidden | -1 | '-1' | a whole number from 1 to 9999
          context | none | missing | a whole number from 1 to 9999
          """)
  void aFileOfSomethingElseIsRefused(String key, String text, String is, String rule)
      throws Exception {
    Map<String, String> texts = new HashMap<>();
    texts.put("model", "names-mlp");
    texts.put("alphabet", Alphabet.CHARACTERS);
    SMALL.byName().forEach((name, size) -> texts.put(name, size.toString()));
    texts.put(key, text);
    texts.values().removeIf(value -> value == null);
    Path file = folder.resolve("other.safetensors");
    SafeTensors.save(file, NamesKind.MLP.create(device, SMALL), texts);
    Exception e = assertThrows(IllegalArgumentException.class, () -> NamesFile.load(file, device));
    assertEquals(
        "file '"
            + file
            + "': its text '"
            + key
            + "' is "
            + is
            + "; it must be "
            + rule
            + ", as 'gradus train names --save' writes it",
        e.getMessage());
  }

  @Test
  void headsThatDoNotDivideTheVectorAreRefused() throws Exception {
    Path file = folder.resolve("odd.safetensors");
    Map<String, String> texts = new HashMap<>();
    texts.put("model", "names-gpt");
    texts.put("alphabet", Alphabet.CHARACTERS);
    SMALL.byName().forEach((name, size) -> texts.put(name, size.toString()));
    texts.put("heads", "3");
    SafeTensors.save(file, NamesKind.GPT.create(device, SMALL), texts);
    Run run = Run.of("generate", file.toString());
    assertEquals(1, run.code());
    assertEquals(
        "gradus: MultiHeadAttention: dim is 8 and heads is 3; both must be at least 1 and dim a"
            + " multiple of heads",
        run.err().strip());
  }
}
