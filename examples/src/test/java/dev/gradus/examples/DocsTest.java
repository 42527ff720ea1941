package dev.gradus.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The Java of README and docs compiles, runs, and prints what stands below it.
 *
 * <p>The {@code java} blocks of a page are one program, in their order. A {@code text} block is the
 * output of the Java block before it. Blocks that are indented, or of another kind, are not run.
 */
class DocsTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  /** Printed between the outputs of two blocks. */
  private static final String CUT = "\u0001";

  @TempDir Path folder;

  private record Block(String kind, String text) {}

  static List<String> pagesWithCode() throws IOException {
    List<String> pages = new ArrayList<>();
    try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
      for (Path p : Stream.concat(Stream.of(ROOT.resolve("README.md")), docs.sorted()).toList()) {
        if (p.toString().endsWith(".md") && Files.readString(p).contains("\n```java\n")) {
          pages.add(ROOT.relativize(p).toString());
        }
      }
    }
    assertTrue(pages.contains("README.md"), "README.md has no Java block");
    return pages;
  }

  @ParameterizedTest
  @MethodSource("pagesWithCode")
  void codeRunsAndPrintsWhatThePageSays(String page) throws Exception {
    List<Block> blocks = blocks(Files.readString(ROOT.resolve(page)));
    String[] outputs = run(program(blocks)).split(CUT, -1);
    int java = -1;
    boolean expects = false;
    for (Block b : blocks) {
      if (b.kind.equals("java")) {
        java++;
        expects = true;
      } else if (b.kind.equals("text") && expects) {
        assertEquals(
            b.text.strip(), outputs[java].strip(), page + ": output of Java block " + (java + 1));
        expects = false;
      }
    }
    assertFalse(java < 0, page + " has no Java block");
  }

  private static List<Block> blocks(String markdown) {
    List<Block> blocks = new ArrayList<>();
    String kind = null;
    StringBuilder text = new StringBuilder();
    for (String line : markdown.split("\n", -1)) {
      if (kind == null && line.startsWith("```")) {
        kind = line.substring(3);
        text.setLength(0);
      } else if (kind != null && line.equals("```")) {
        blocks.add(new Block(kind, text.toString()));
        kind = null;
      } else if (kind != null) {
        text.append(line).append('\n');
      }
    }
    return blocks;
  }

  private static String program(List<Block> blocks) {
    StringBuilder imports = new StringBuilder();
    StringBuilder body = new StringBuilder();
    for (Block b : blocks) {
      if (b.kind.equals("java")) {
        for (String line : b.text.split("\n")) {
          (line.startsWith("import ") ? imports : body).append(line).append('\n');
        }
        body.append("System.out.print(\"").append(CUT).append("\");\n");
      }
    }
    return imports
        + "public class Page {\npublic static void main(String[] args) throws Exception {\n"
        + body
        + "}\n}\n";
  }

  private String run(String source) throws Exception {
    Path file = Files.writeString(folder.resolve("Page.java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    List<String> options =
        List.of("-cp", System.getProperty("java.class.path"), "-d", folder.toString());
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      Iterable<? extends JavaFileObject> units = files.getJavaFileObjects(file);
      boolean compiled = compiler.getTask(messages, files, null, options, null, units).call();
      assertTrue(compiled, () -> messages + "\n" + source);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    URL[] path = {folder.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(path, getClass().getClassLoader());
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      loader
          .loadClass("Page")
          .getMethod("main", String[].class)
          .invoke(null, (Object) new String[0]);
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
