package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole check as a program, on the emulated device that the CUDA backend's tests have built.
 * Maven is a script here, which leaves reports as Maven would.
 */
class GpuCheckTest {
  private static final Path EMULATOR = Path.of("../backend-cuda/target/emulator").toAbsolutePath();

  private static final String REPORT =
      """
      <testsuite>
        <testcase name="passes" classname="A"/>
        <testcase name="isLeftOut" classname="A"><skipped>
      org.opentest4j.TestAbortedException: Assumption failed: needs the emulator
      	at A.isLeftOut(A.java:7)</skipped></testcase>
        %s
      </testsuite>
      """;

  @TempDir Path folder;
  private Path project;
  private Path programs;
  private Path out;

  @BeforeAll
  static void needsTheEmulator() {
    assumeTrue(
        Files.exists(EMULATOR.resolve("built")),
        "the CUDA backend's tests, which build the emulated driver, have not run here");
  }

  @BeforeEach
  void makeFolders() throws IOException {
    project = Files.createDirectories(folder.resolve("project"));
    Files.writeString(
        Files.createDirectory(project.resolve("backend-cuda")).resolve("pom.xml"), "");
    programs = Files.createDirectory(folder.resolve("programs"));
    out = Files.createDirectory(folder.resolve("out"));
  }

  private void maven(String tests, int code) throws IOException {
    Path mvn = programs.resolve("mvn");
    String reports = "backend-cuda/target/gpu-check/surefire-reports";
    Files.writeString(
        mvn,
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > arguments\nmkdir -p "
            + reports
            + "\ncat > "
            + reports
            + "/TEST-A.xml << 'END'\n"
            + String.format(REPORT, tests)
            + "END\necho the last words\nexit "
            + code
            + "\n");
    assertTrue(mvn.toFile().setExecutable(true));
  }

  /** Runs it with the emulated driver in some modes. */
  private Run check(String modes, String path) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED"); // as ./gradus; without it Java warns
    }
    command.add("-Dgradus.cuda.lib=" + EMULATOR);
    command.add("-Dgradus.project=" + project);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("gpu-check", "--quick", "--out", out.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("GRADUS_EMULATOR", modes);
    builder.environment().remove("CUDA_VISIBLE_DEVICES");
    builder.environment().put("PATH", path);
    File said = folder.resolve("said").toFile();
    File errors = folder.resolve("errors").toFile();
    int code = builder.redirectOutput(said).redirectError(errors).start().waitFor();
    return new Run(code, Files.readString(said.toPath()), Files.readString(errors.toPath()));
  }

  private JsonNode json() throws IOException {
    return new ObjectMapper().readTree(Files.readString(out.resolve("gpu-check.json")));
  }

  private static JsonNode part(JsonNode report, String name) {
    for (JsonNode part : report.get("parts")) {
      if (part.get("name").asText().equals(name)) {
        return part;
      }
    }
    throw new AssertionError("no part " + name + " in " + report);
  }

  private static JsonNode item(JsonNode part, String name) {
    for (JsonNode item : part.get("items")) {
      if (item.get("name").asText().equals(name)) {
        return item;
      }
    }
    throw new AssertionError("no item " + name + " in " + part);
  }

  @Test
  void onADeviceThatIsRightNothingFails() throws Exception {
    maven("", 0);
    Run run = check("", programs + File.pathSeparator + System.getenv("PATH"));
    assertEquals(0, run.code(), run.err());
    JsonNode report = json();
    assertEquals(false, report.get("failed").asBoolean());
    assertEquals(true, report.get("quick").asBoolean());
    assertEquals("cuda", report.get("doctor").get("chosen").asText());
    JsonNode environment = report.get("environment");
    assertEquals(EMULATOR.normalize() + "/libcuda.so.1", environment.get("libcuda.so.1").asText());
    assertTrue(environment.get("matrix products").asText().startsWith("cuBLAS "));

    JsonNode kernels = part(report, "kernels");
    assertEquals("", kernels.get("problem").asText());
    assertEquals(0, kernels.get("failed").asInt());
    assertTrue(kernels.get("passed").asInt() > 150, kernels.get("passed").asText());
    assertEquals("bits", item(kernels, "adamw float32").get("values").get("bound").asText());
    assertEquals("4 ulps", item(kernels, "exp float32").get("values").get("bound").asText());

    JsonNode speed = part(report, "speed");
    assertEquals("", speed.get("problem").asText());
    JsonNode copy = speed.get("items").get(0);
    assertEquals("copy on the device", copy.get("name").asText());
    assertEquals(1.0, copy.get("values").get("of copy").asDouble());
    assertTrue(item(speed, "adam").get("values").get("GB/s").asDouble() > 0);
    assertTrue(item(speed, "launch").get("values").get("microseconds").asDouble() > 0);
    assertTrue(item(speed, "matrix product").get("values").get("GFLOP/s").asDouble() > 0);

    JsonNode tests = part(report, "tests");
    assertEquals("[1, 0, 1]", counts(tests));
    assertTrue(
        Files.readAllLines(project.resolve("arguments"))
            .containsAll(List.of("-Dgradus.test.cuda=real", "-Dgradus.cuda.lib=" + EMULATOR)));
    String page = Files.readString(out.resolve("gpu-check.md"));
    assertTrue(page.startsWith("# gradus gpu-check\n\nNothing failed. The quick check: "), page);
    assertTrue(page.contains("\n| needs the emulator | 1 | A.isLeftOut |\n"), page);
    try (Stream<Path> files = Files.list(out)) {
      assertEquals(2, files.count());
    }
  }

  private static String counts(JsonNode part) {
    return List.of(
            part.get("passed").asInt(), part.get("failed").asInt(), part.get("skipped").asInt())
        .toString();
  }

  /** Every process loses its device at a launch; the next goes on behind the case that it hit. */
  @Test
  void aLostDeviceFailsOneCaseAndStopsNothing() throws Exception {
    maven("<testcase name=\"fails\" classname=\"B\"><failure message=\"1 is 2\"/></testcase>", 0);
    Run run =
        check(
            "fail-name=cuLaunchKernel,fail-call=200,fail-code=700",
            programs + File.pathSeparator + System.getenv("PATH"));
    assertEquals(1, run.code(), run.err());
    JsonNode report = json();
    assertEquals(true, report.get("failed").asBoolean());
    JsonNode kernels = part(report, "kernels");
    assertEquals("", kernels.get("problem").asText());
    int failed = kernels.get("failed").asInt();
    assertTrue(failed > 0 && failed < 10, "failed: " + failed);
    assertTrue(kernels.get("passed").asInt() > 150, kernels.get("passed").asText());
    String page = Files.readString(out.resolve("gpu-check.md"));
    assertTrue(page.startsWith("# gradus gpu-check\n\nSomething failed."), page);
    assertTrue(page.contains("failed: an illegal memory access was encountered (700) |"), page);
    assertEquals("[1, 1, 1]", counts(part(report, "tests")));
    assertTrue(page.contains("\n| B.fails | 1 is 2 |\n"), page);
  }

  @Test
  void withoutMavenOnlyTheTestsFail() throws Exception {
    Run run = check("", programs.toString());
    assertEquals(1, run.code(), run.err());
    JsonNode report = json();
    assertEquals(0, part(report, "kernels").get("failed").asInt());
    assertTrue(
        part(report, "tests")
            .get("problem")
            .asText()
            .endsWith("; Maven 3.8 or later has to be on the PATH as mvn"));
    assertEquals("unknown", report.get("environment").get("commit").asText());
  }

  @Test
  void whatMavenSaysWhenItFailsIsInTheReport() throws Exception {
    maven("", 1);
    check("", programs + File.pathSeparator + System.getenv("PATH"));
    assertEquals(
        "the process ended with exit code 1: the last words",
        part(json(), "tests").get("problem").asText());
  }

  @Test
  void withoutADeviceItIsRefusedAndNothingIsWritten() throws Exception {
    Run run = check("devices=0", programs.toString());
    assertEquals(2, run.code());
    assertEquals(1, run.errors().size(), run.err());
    assertTrue(
        run.err().startsWith("gradus: gpu-check: backend 'cuda' is not usable: "), run.err());
    try (Stream<Path> files = Files.list(out)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void aFolderIntoWhichNothingCanBeWrittenIsRefused() {
    String processes = "/proc"; // where nobody, whatever the rights, makes a file
    assumeTrue(Files.isDirectory(Path.of(processes)), "there is no such folder here");
    Run run = Run.of("gpu-check", "--out", processes);
    assertEquals(2, run.code());
    assertEquals(
        "gradus: --out: no file can be written into the folder '/proc'; name another one; see"
            + " 'gradus gpu-check --help'\n",
        run.err());
  }

  @Test
  void aFolderThatIsNotThereIsRefused() {
    Run run = Run.of("gpu-check", "--out", folder.resolve("none").toString());
    assertEquals(2, run.code());
    assertEquals(
        "gradus: --out: there is no folder '"
            + folder.resolve("none")
            + "'; make it first; see 'gradus gpu-check --help'\n",
        run.err());
  }
}
