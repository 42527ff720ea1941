package dev.gradus.examples.gpu;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The CUDA backend's tests on the machine's own driver: Maven runs them, its reports tell. */
public final class TestRun {
  private static final String MODULE = "backend-cuda";
  private static final String FOLDER = "target/gpu-check";
  private static final Duration SILENCE = Duration.ofMinutes(30);

  private TestRun() {}

  /**
   * Runs the tests of a clone of the project.
   *
   * @param project the clone's folder
   * @param quick whether only the tests of the kernels run, not all
   */
  public static CheckPart run(Path project, boolean quick) {
    long begin = System.nanoTime();
    List<CheckItem> items = new ArrayList<>();
    String problem =
        Files.isRegularFile(project.resolve(MODULE).resolve("pom.xml"))
            ? run(project, quick, items)
            : "the tests need a clone of the project; start gradus there";
    return new CheckPart("tests", items, problem, (System.nanoTime() - begin) / 1e9);
  }

  /** Runs Maven and reads its reports; returns why that did not come to its end, or nothing. */
  private static String run(Path project, boolean quick, List<CheckItem> items) {
    Path reports = project.resolve(MODULE).resolve(FOLDER).resolve("surefire-reports");
    ChildProcess child = new ChildProcess(SILENCE);
    try {
      delete(reports);
      int code = child.run(maven(project, quick), line -> {});
      read(reports, items);
      return code == 0 ? "" : child.end(code);
    } catch (IOException e) {
      return e.getMessage() + "; Maven 3.8 or later has to be on the PATH as mvn";
    }
  }

  private static ProcessBuilder maven(Path project, boolean quick) {
    boolean windows = File.separatorChar == '\\';
    List<String> command = new ArrayList<>();
    command.add(windows ? "mvn.cmd" : "mvn");
    command.addAll(List.of("-B", "-pl", MODULE, "-am", "package"));
    command.add("-Dgradus.test.cuda=real");
    command.add("-Dtest=" + (quick ? "CudaKernelsTest" : "dev.gradus.backend.cuda.**"));
    command.add("-Dsurefire.failIfNoSpecifiedTests=false");
    command.add("-Dmaven.test.failure.ignore=true");
    // A folder of its own, so that no other build is disturbed.
    command.add("-Dbuild.folder=" + FOLDER);
    for (Map.Entry<String, String> e : DeviceProcess.properties().entrySet()) {
      command.add("-D" + e.getKey() + "=" + e.getValue());
    }
    ProcessBuilder builder = new ProcessBuilder(command).directory(project.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder;
  }

  private static void delete(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static void read(Path folder, List<CheckItem> items) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.startsWith("TEST-") && name.endsWith(".xml")) {
          try {
            suite(file, items);
          } catch (SAXException | ParserConfigurationException e) {
            items.add(CheckItem.failed(name, "the report cannot be read: " + e.getMessage()));
          }
        }
      }
    }
  }

  private static void suite(Path file, List<CheckItem> items)
      throws IOException, SAXException, ParserConfigurationException {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    NodeList cases =
        factory.newDocumentBuilder().parse(file.toFile()).getElementsByTagName("testcase");
    for (int i = 0; i < cases.getLength(); i++) {
      Element test = (Element) cases.item(i);
      items.add(item(test, test.getAttribute("classname") + "." + test.getAttribute("name")));
    }
  }

  private static CheckItem item(Element test, String name) {
    for (Node n = test.getFirstChild(); n != null; n = n.getNextSibling()) {
      if (n instanceof Element e) {
        switch (e.getTagName()) {
          case "failure", "error" -> {
            return CheckItem.failed(name, words(e));
          }
          case "skipped" -> {
            return CheckItem.of(name, CheckItem.Outcome.SKIPPED, words(e));
          }
          default -> {}
        }
      }
    }
    return CheckItem.of(name, CheckItem.Outcome.PASSED, "");
  }

  /** The message; where there is none, the first line of the trace, which may have one. */
  private static String words(Element e) {
    String message = e.getAttribute("message").strip();
    if (message.isEmpty()) {
      message = e.getTextContent().strip().lines().findFirst().orElse("");
    }
    return message.replaceFirst("^[\\w.]+TestAbortedException: (Assumption failed: )?", "");
  }
}
