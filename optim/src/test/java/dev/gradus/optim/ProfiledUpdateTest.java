package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profile;
import dev.gradus.tensor.Profiler;
import dev.gradus.testing.PrimitivesOnly;
import dev.gradus.types.DType;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** What a profile says of an optimizer's step. */
class ProfiledUpdateTest {
  private static final int N = 257;

  /** The only entry after a step over two parameters of N elements, one without a gradient. */
  @SuppressWarnings("try") // the span is open for its effect
  private static Profile.Entry entry(
      Profiler profiler, Device device, BiFunction<Device, NamedParameters, Optimizer<?>> make) {
    Parameter a = new Parameter(device.ones(DType.F32, N));
    Parameter b = new Parameter(device.ones(DType.F32, N));
    Optimizer<?> optimizer =
        make.apply(device, NamedParameters.of(List.of(Map.entry("a", a), Map.entry("b", b))));
    Fixture.gradient(a, new double[N]);
    Fixture.gradient(b, new double[N]);
    optimizer.step();
    b.zeroGrad();
    try (Profiler.Span step = profiler.step()) {
      optimizer.step();
    }
    List<Profile.Entry> entries = profiler.profile().entries();
    assertEquals(1, entries.size(), entries.toString());
    assertEquals(Profile.Phase.UPDATE, entries.get(0).phase());
    assertEquals(1, entries.get(0).calls());
    return entries.get(0);
  }

  private static Profile.Entry entry(BiFunction<Device, NamedParameters, Optimizer<?>> make) {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = profiler.open("cpu")) {
      return entry(profiler, device, make);
    }
  }

  @Test
  void theUpdateHasTheOptimizersNameAndTheBytesThatItMustMove() {
    Profile.Entry adam = entry((d, named) -> Adam.of(named));
    assertEquals("Adam", adam.operation());
    assertEquals(28 * N, adam.bytes());
    assertEquals(36 * N, entry((d, named) -> Adam.of(named, o -> o.withAmsgrad(true))).bytes());
    assertEquals("AdamW", entry((d, named) -> AdamW.of(named)).operation());
    Profile.Entry sgd = entry((d, named) -> SGD.of(named));
    assertEquals("SGD", sgd.operation());
    assertEquals(12 * N, sgd.bytes());
    assertEquals(20 * N, entry((d, named) -> SGD.of(named, o -> o.withMomentum(0.9))).bytes());
  }

  @Test
  void aPlanComposedOfPrimitivesIsOneUpdateToo() {
    Profiler profiler = Profiler.afterSteps(0);
    try (Device device = profiler.over(new PrimitivesOnly(Device.open("cpu").backend()))) {
      assertEquals(28 * N, entry(profiler, device, (d, named) -> Adam.of(named)).bytes());
    }
  }
}
