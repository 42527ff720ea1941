package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Linear;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.optim.AveragedModel;
import dev.gradus.optim.SGD;
import dev.gradus.tensor.Device;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that another program wrote, another release, or nobody as they are. */
class CheckpointFileTest {
  @TempDir Path folder;

  private Device device;
  private Path file;

  @BeforeEach
  void open() {
    device = Device.open("cpu");
    file = folder.resolve("training.safetensors");
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static void refuses(String text, Executable action) {
    assertEquals(text, assertThrows(IllegalArgumentException.class, action).getMessage());
  }

  @Test
  void aFileOfTensorsIsNoCheckpoint() throws IOException {
    SafeTensors.save(file, Map.of("a", device.zeros(2)));
    String text =
        "Checkpoint.load: "
            + file
            + " is no checkpoint: it has no metadata 'gradus.checkpoint';"
            + " SafeTensors.loadInto(file, module) reads a file of tensors";
    refuses(text, () -> new Checkpoint().load(file));
    refuses(text, () -> Checkpoint.notes(file));
  }

  private static final String GOOD =
      "{'version':'0.1','format':1,'step':2,'numbers':{'n':1},'texts':{},'models':[],'averages':[],"
          + "'optimizers':{'o':{'kind':'SGD','schedule':{},'groups':[{'name':'all',"
          + "'parameters':['w'],'options':{'lr':0.5},'schedule':{}}],'parameters':{'w':"
          + "{'steps':1,'buffers':['momentum_buffer'],'scalars':{}}}}},'generators':{}}";

  private void write(String json) throws IOException {
    SafeTensors.save(
        file,
        Map.of("o.w.momentum_buffer", device.ones(2)),
        Map.of("gradus.checkpoint", json.replace('\'', '"')));
  }

  @Test
  void aCheckpointOfAnotherProgramIsRead() throws IOException {
    write(GOOD);
    Parameter w = new Parameter(device.zeros(2));
    SGD sgd = SGD.of(NamedParameters.of(List.of(Map.entry("w", w))));
    Checkpoint checkpoint = new Checkpoint().optimizer("o", sgd);
    assertEquals(Notes.at(2).with("n", 1), checkpoint.load(file));
    assertEquals(0.5, sgd.group("all").lr());
    assertEquals(1, sgd.stepsOf(w));
  }

  @Test
  void aLaterFormatIsNamedWithItsRelease() throws IOException {
    write(GOOD.replace("'format':1", "'format':2"));
    String text =
        assertThrows(IllegalArgumentException.class, () -> Checkpoint.notes(file)).getMessage();
    assertTrue(text.contains(" has format 2 of release '0.1'; this one, '0."), text);
    assertTrue(text.endsWith(", reads format 1: load it with the release that wrote it"), text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'step':2 | 'step':-2 | '/step' is no whole number in [0, 2^63 - 1]",
        "'step':2 | 'step':9223372036854775808 | '/step' is no whole number",
        "'step':2 | 'step':2.0 | '/step' is no whole number",
        "'step':2, | `` | '/numbers' stands where the field 'step' belongs",
        "'generators':{} | 'generators':{},'more':1 | '/more' is a field too many",
        "'generators':{} | 'generators':[] | '/generators' is not an object",
        "'generators':{} | 'generators':{'g':'AAAA'} | generator state: has 3 bytes",
        "'generators':{} | 'generators':{'g':'#'} | '/generators/g' is not Base64",
        "'generators':{}} | 'generators':{}}{} | goes on after its JSON object",
        "'generators':{}} | 'generators':{} | is not JSON",
        "'n':1 | 'n':'1' | '/numbers/n' is no number",
        "'n':1 | 'n':1,'n':1 | '/numbers/n' comes twice",
        "'models':[] | 'models':[1] | '/models/0' is not a text",
        "'texts':{} | 'texts':{'t':null} | '/texts/t' is not a text",
        "'groups':[ | 'groups':[],'groups':[ | stands where the field 'parameters' belongs",
        "'steps':1 | 'steps':-1 | '/optimizers/o/parameters/w/steps' is no whole number",
        "'momentum_buffer' | 'exp_avg' | names a tensor 'o.w.exp_avg', which is not in the file",
        "'parameters':['w'] | 'parameters':['w','w'] | parameter 'w' is in param group 'all' and",
        "'parameters':['w'] | 'parameters':[] | parameter 'w' has state but is in no param group",
        "'averages':[] | 'averages':{} | '/averages' is not an array",
        "'texts':{} | 'texts':{'t':'\\ud800'} | notes: 't' has half a surrogate pair",
        "['momentum_buffer'] | [] | the tensor 'o.w.momentum_buffer' belongs to none of its parts",
        "'lr':0.5 | 'lr':null | '/optimizers/o/groups/0/options/lr' is no number",
        "'lr':0.5 | 'lr':[[[[[[[[[[[[[1]]]]]]]]]]]]] | is not JSON: 'Document nesting depth",
      })
  void aDamagedCheckpointIsRefused(String good, String bad, String words) throws IOException {
    write(GOOD.replace(good, bad));
    String text =
        assertThrows(MalformedFileException.class, () -> Checkpoint.notes(file)).getMessage();
    assertTrue(text.contains("the checkpoint") && text.contains(words), text);
    assertTrue(text.startsWith(file + ": "), text);
  }

  @Test
  void averagesInATypeThatCannotBeReadAreNamed() throws IOException {
    AveragedModel swa = AveragedModel.swa(new Linear(device, 1, 1));
    new Checkpoint().averages(swa).save(file, Notes.at(1));
    retype("averages.module.bias");
    refuses(
        "Checkpoint.load: "
            + file
            + " does not fit; nothing was changed\n"
            + "  'averages.module.bias' is stored as U32, which cannot be read\n"
            + "  'averages': missing: 'module.bias'",
        () -> new Checkpoint().averages(swa).load(file));
  }

  /** Says of a float32 tensor in the file that it is of U32. */
  private void retype(String name) throws IOException {
    String content = Files.readString(file, StandardCharsets.ISO_8859_1);
    String begin = "\"" + name + "\":{\"dtype\":\"";
    assertTrue(content.contains(begin + "F32"));
    Files.writeString(
        file, content.replace(begin + "F32", begin + "U32"), StandardCharsets.ISO_8859_1);
  }

  @Test
  void aBufferInATypeThatCannotBeReadIsNamed() throws IOException {
    write(GOOD);
    retype("o.w.momentum_buffer");
    String text =
        assertThrows(MalformedFileException.class, () -> Checkpoint.notes(file)).getMessage();
    assertTrue(
        text.contains(
            "the checkpoint: it names a tensor 'o.w.momentum_buffer' of U32, which cannot be read"),
        text);
  }
}
