package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gradus.tensor.GradCheck;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.lang.reflect.Modifier;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The gradients of every module, for its input and its parameters, against differences. */
final class ModuleGradientsTest extends Fixture {

  /** Runs the checks of one module. */
  private interface Check {
    void run();
  }

  private void check(Module module, Tensor... inputs) {
    module.to(DType.F64);
    List<Tensor> all = new ArrayList<>(List.of(inputs));
    all.addAll(module.parameters());
    GradCheck.check(
        module.typeName(),
        in -> {
          device.manualSeed(11); // one mask for all differences
          return module.forward(in.get(0));
        },
        all.toArray(new Tensor[0]));
  }

  private Map<Class<? extends Module>, Check> checks() {
    Map<Class<? extends Module>, Check> all = new LinkedHashMap<>();
    all.put(
        Embedding.class,
        () -> {
          check(new Embedding(device, 4, 3), ids(0, 2, 2, 3));
          check(
              new Embedding(device, 4, 3, Embedding.Options.defaults().withMaxNorm(1e3)),
              ids(0, 2, 2));
        });
    all.put(
        Linear.class,
        () -> {
          check(new Linear(device, 3, 2), point(2, 2, 3));
          check(Linear.withoutBias(device, 3, 2), point(4, 3));
        });
    all.put(Sigmoid.class, () -> check(new Sigmoid(), point(2, 3)));
    all.put(Tanh.class, () -> check(new Tanh(), point(2, 3)));
    all.put(ReLU.class, () -> check(new ReLU(), point(2, 3)));
    all.put(LeakyReLU.class, () -> check(new LeakyReLU(0.1), point(2, 3)));
    all.put(SiLU.class, () -> check(new SiLU(), point(2, 3)));
    all.put(Softplus.class, () -> check(new Softplus(2, 1), point(2, 3)));
    all.put(
        GELU.class,
        () -> {
          check(new GELU(), point(2, 3));
          check(new GELU(GELU.Form.TANH), point(2, 3));
        });
    all.put(
        Softmax.class,
        () -> {
          check(new Softmax(0), point(2, 3));
          check(new Softmax(-1), point(2, 3));
        });
    all.put(Flatten.class, () -> check(new Flatten(), point(2, 3, 2)));
    all.put(Dropout.class, () -> check(new Dropout(0.4), point(5, 3)));
    all.put(
        LayerNorm.class,
        () -> {
          for (LayerNorm.Affine affine : LayerNorm.Affine.values()) {
            LayerNorm.Options options = LayerNorm.Options.defaults().withAffine(affine);
            check(new LayerNorm(device, options, 3), point(2, 3));
          }
          check(new LayerNorm(device, 2, 3), point(2, 2, 3));
        });
    all.put(
        MultiHeadAttention.class,
        () -> {
          MultiHeadAttention.Options options = MultiHeadAttention.Options.defaults();
          check(new MultiHeadAttention(device, 4, 2, options), point(2, 3, 4));
          check(
              new MultiHeadAttention(
                  device, 4, 2, options.withMask(AttentionMask.CAUSAL).withDropout(0.3)),
              point(2, 3, 4));
        });
    all.put(
        Sequential.class,
        () -> {
          Linear tied = Linear.withoutBias(device, 3, 3);
          check(new Sequential(tied, new Tanh(), Linear.tied(tied.weight())), point(2, 3));
        });
    all.put(
        ModuleList.class,
        () -> {
          ModuleList<Linear> list = new ModuleList<>(List.of(new Linear(device, 3, 2)));
          assertEquals(2, list.parameters().size()); // it computes nothing: its modules do
        });
    return all;
  }

  @Test
  void gradientsAgreeWithDifferences() {
    checks().values().forEach(Check::run);
  }

  @Test
  void noModuleIsWithoutAGradientCheck() throws Exception {
    Set<String> checked = new TreeSet<>();
    checks().keySet().forEach(type -> checked.add(type.getSimpleName()));
    assertEquals(modulesOfThePackage(), checked);
  }

  /** The concrete module classes beside {@link Module}, in a folder or in a jar. */
  private static Set<String> modulesOfThePackage() throws Exception {
    Path root = Path.of(Module.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    String folder = "dev/gradus/nn";
    if (Files.isDirectory(root)) {
      return modulesIn(root.resolve(folder));
    }
    try (FileSystem jar = FileSystems.newFileSystem(root)) {
      return modulesIn(jar.getPath(folder));
    }
  }

  private static Set<String> modulesIn(Path folder) throws Exception {
    Set<String> found = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.class")) {
      for (Path file : files) {
        String name = file.getFileName().toString().replace(".class", "");
        Class<?> type = Class.forName("dev.gradus.nn." + name);
        if (Module.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers())) {
          found.add(type.getSimpleName());
        }
      }
    }
    assertFalse(found.isEmpty(), "no class files beside Module.class in " + folder);
    return found;
  }
}
