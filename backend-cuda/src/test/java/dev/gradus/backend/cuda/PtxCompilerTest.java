package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * NVIDIA's own assembler, that of CUDA 12.0, which JCuda's jar carries: what it takes a driver
 * takes that has it or a later one. It needs no device.
 */
class PtxCompilerTest {
  private static final Pattern KERNEL = Pattern.compile("Function properties for (\\w+)");
  private static final Pattern SPILLS =
      Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");
  private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");

  /** What 1024 threads of a block leave for each. */
  private static final int MOST_REGISTERS = 64;

  /** Kernels whose blocks have at most 256 threads, and may use more. */
  private static final Map<String, Integer> MORE =
      Map.of("gemm_f32", 128, "gemm_f64", 128, "adam_f64", 72, "adam_rows_f64", 72);

  @BeforeAll
  static void loadTheCompiler() throws IOException {
    boolean linux = System.getProperty("os.name").startsWith("Linux");
    assumeTrue(
        linux && System.getProperty("os.arch").equals("amd64"), "JCuda has no assembler here");
    Path folder =
        NativeFiles.ofUser(Platform.LINUX)
            .extract(Platform.LINUX.jcudaFile("JNvPTXCompiler", Cu.JCUDA_VERSION));
    String before = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    JNvPTXCompiler.setExceptionsEnabled(false);
    System.setProperty("java.io.tmpdir", before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_75", "sm_80", "sm_86", "sm_89", "sm_90"})
  void everyDeviceTakesTheKernelsWithoutSpills(String arch) {
    String log = assemble(Ptx.text(), arch);
    Map<String, String> registers = new TreeMap<>();
    List<String> wrong = new ArrayList<>();
    String kernel = "";
    int seen = 0;
    for (String line : log.lines().toList()) {
      Matcher name = KERNEL.matcher(line);
      Matcher spills = SPILLS.matcher(line);
      Matcher used = REGISTERS.matcher(line);
      if (name.find()) {
        kernel = name.group(1);
      } else if (spills.find() && !(spills.group(1) + spills.group(2)).equals("00")) {
        wrong.add(kernel + ": " + line.strip());
      } else if (used.find()) {
        seen++;
        int most = MORE.getOrDefault(kernel, MOST_REGISTERS);
        if (Integer.parseInt(used.group(1)) > most) {
          wrong.add(kernel + ": " + used.group() + ", allowed " + most);
        }
      }
    }
    assertEquals(List.of(), wrong, arch + " " + registers);
    assertEquals(Ptx.kernels().size(), seen, log);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_75", "sm_90"})
  void theLoweredVersionIsTakenToo(String arch) {
    assertTrue(assemble(Kernels.withVersion(Ptx.text(), "6.3"), arch).contains("registers"));
  }

  /** Assembles a text; returns what the assembler says of each kernel. */
  private static String assemble(String ptx, String arch) {
    byte[] text = ptx.getBytes(StandardCharsets.US_ASCII);
    nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
    assertEquals(
        nvPTXCompileResult.NVPTXCOMPILE_SUCCESS,
        JNvPTXCompiler.nvPTXCompilerCreate(compiler, text.length, text));
    String[] options = {"--gpu-name=" + arch, "--verbose"};
    int result = JNvPTXCompiler.nvPTXCompilerCompile(compiler, options.length, options);
    long[] size = new long[1];
    boolean good = result == nvPTXCompileResult.NVPTXCOMPILE_SUCCESS;
    if (good) {
      JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, size);
    } else {
      JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, size);
    }
    byte[] log = new byte[(int) size[0] + 1];
    if (good) {
      JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log);
    } else {
      JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, log);
    }
    JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
    String said = new String(log, StandardCharsets.US_ASCII);
    assertTrue(good, said);
    return said;
  }
}
