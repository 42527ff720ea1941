package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.tensor.Device;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The texts are those that PyTorch 2.13 prints for the same modules. */
final class ModulePrinterTest extends Fixture {

  private static final class M extends Module {
    M(Device device) {
      register("emb", new Embedding(device, 5, 5));
      ModuleList<Module> blocks = new ModuleList<>();
      blocks.add(new Sequential(new Linear(device, 5, 5), new Tanh()));
      blocks.add(new Sequential(new Linear(device, 5, 5), new Tanh()));
      blocks.add(new Linear(device, 5, 5)).add(new Linear(device, 5, 5));
      blocks.add(new Linear(device, 5, 4));
      register("blocks", blocks);
      register("ln", new LayerNorm(device, 4));
    }
  }

  private static final class E extends Module {
    private final String text;

    E(String text, Module... inside) {
      this.text = text;
      for (Module m : inside) {
        register("a", m);
      }
    }

    @Override
    protected String describe() {
      return text;
    }
  }

  @Test
  void aTreeIsIndentedAndListsAreFolded() {
    assertEquals(
        """
        M(
          (emb): Embedding(5, 5)
          (blocks): ModuleList(
            (0-1): 2 x Sequential(
              (0): Linear(in_features=5, out_features=5, bias=True)
              (1): Tanh()
            )
            (2-3): 2 x Linear(in_features=5, out_features=5, bias=True)
            (4): Linear(in_features=5, out_features=4, bias=True)
          )
          (ln): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
        )\
        """,
        new M(device).toString());
  }

  @Test
  void aDescriptionStandsInTheBracketsOrAboveTheChildren() {
    assertEquals("E()", new E("").toString());
    assertEquals("E(x=1)", new E("x=1").toString());
    assertEquals("E(\n  x=1\n  y=2\n)", new E("x=1\ny=2").toString());
    assertEquals("E(\n  x=1\n  (a): Tanh()\n)", new E("x=1", new Tanh()).toString());
    assertEquals("E(\n  x=1\n  y=2\n  (a): Tanh()\n)", new E("x=1\ny=2", new Tanh()).toString());
  }

  @Test
  void everyModulePrintsItsOptions() {
    Embedding.Options options =
        Embedding.Options.defaults().withPaddingIndex(-1).withMaxNorm(1).withNormType(1.5);
    LayerNorm.Options none = LayerNorm.Options.defaults().withAffine(LayerNorm.Affine.NONE);
    LayerNorm.Options weight = LayerNorm.Options.defaults().withAffine(LayerNorm.Affine.WEIGHT);
    assertEquals(
        List.of(
            "Embedding(10, 3, padding_idx=9, max_norm=1.0, norm_type=1.5)",
            "LayerNorm((3,), eps=1e-05, elementwise_affine=False, bias=False)",
            "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=False)",
            "Softplus(beta=1.0, threshold=20.0)",
            "Dropout(p=0.25, inplace=False)",
            "LeakyReLU(negative_slope=0.1)",
            "GELU(approximate='none')",
            "GELU(approximate='tanh')",
            "SiLU()",
            "ReLU()",
            "Sigmoid()",
            "Flatten(start_dim=1, end_dim=-1)",
            "Softmax(dim=1)",
            "Sequential()",
            "ModuleList()",
            "Linear(in_features=2, out_features=3, bias=False)"),
        List.of(
                new Embedding(device, 10, 3, options),
                new LayerNorm(device, none, 3),
                new LayerNorm(device, weight, 2, 3),
                new Softplus(),
                new Dropout(0.25),
                new LeakyReLU(0.1),
                new GELU(),
                new GELU(GELU.Form.TANH),
                new SiLU(),
                new ReLU(),
                new Sigmoid(),
                new Flatten(),
                new Softmax(1),
                new Sequential(),
                new ModuleList<>(),
                Linear.withoutBias(device, 2, 3))
            .stream()
            .map(Module::toString)
            .toList());
  }

  @Test
  void attentionPrintsItsHeadsAndProjections() {
    MultiHeadAttention.Options options =
        MultiHeadAttention.Options.defaults().withMask(AttentionMask.CAUSAL).withDropout(0.1);
    assertEquals(
        """
        MultiHeadAttention(
          heads=2, causal=True, dropout=0.1
          (inProj): Linear(in_features=4, out_features=12, bias=True)
          (outProj): Linear(in_features=4, out_features=4, bias=True)
        )\
        """,
        new MultiHeadAttention(device, 4, 2, options).toString());
  }

  @Test
  void numbersReadAsInPython() {
    assertEquals("1.0", ModulePrinter.number(1));
    assertEquals("0.0", ModulePrinter.number(0));
    assertEquals("0.0001", ModulePrinter.number(1e-4));
    assertEquals("1.5e-05", ModulePrinter.number(1.5e-5));
    assertEquals("-1e-12", ModulePrinter.number(-1e-12));
    assertEquals("123456789.0", ModulePrinter.number(123456789));
    assertEquals("1e+16", ModulePrinter.number(1e16));
    assertEquals("1e-100", ModulePrinter.number(1e-100));
    assertEquals("inf", ModulePrinter.number(Double.POSITIVE_INFINITY));
    assertEquals("-inf", ModulePrinter.number(Double.NEGATIVE_INFINITY));
    assertEquals("nan", ModulePrinter.number(Double.NaN));
  }
}
