package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StepHooksTest {
  private final List<String> calls = new ArrayList<>();
  private Device device;
  private Parameter p;
  private SGD sgd;

  @BeforeEach
  void open() {
    device = Fixture.Where.BACKEND.open();
    p = Fixture.parameter(device, DType.F64, 1);
    sgd =
        SGD.of(
            NamedParameters.of(List.of(Map.entry("p", p))), o -> o.withLr(0.5).withMomentum(0.5));
    Fixture.gradient(p, 1);
  }

  @AfterEach
  void close() {
    device.close();
  }

  private StepHook before(String name) {
    return sgd.beforeStep(() -> calls.add(name + " at " + p.item()));
  }

  private StepHook after(String name) {
    return sgd.afterStep(() -> calls.add(name + " at " + p.item()));
  }

  @Test
  void hooksRunAroundTheStepInTheOrderInWhichTheyWereAdded() {
    after("c");
    before("a");
    after("d");
    before("b");
    sgd.step();
    assertEquals(List.of("a at 1.0", "b at 1.0", "c at 0.5", "d at 0.5"), calls);
  }

  @Test
  void aHookIsRemovedByItselfAlone() {
    StepHook a = before("a");
    before("b");
    StepHook c = after("c");
    a.remove();
    a.remove();
    c.remove();
    sgd.step();
    assertEquals(List.of("b at 1.0"), calls);
  }

  @Test
  void whatAHookAddsOrRemovesCountsFromTheNextStep() {
    StepHook[] once = new StepHook[1];
    once[0] =
        sgd.beforeStep(
            () -> {
              once[0].remove();
              before("added");
              after("added after");
              calls.add("once");
            });
    before("b");
    sgd.step();
    assertEquals(List.of("once", "b at 1.0"), calls);
    calls.clear();
    sgd.step();
    assertEquals(List.of("b at 0.5", "added at 0.5", "added after at -0.25"), calls);
  }

  @Test
  void aHookBeforeThatThrowsLeavesEverythingAsItWas() {
    StepHook failing =
        sgd.beforeStep(
            () -> {
              throw new IllegalStateException("no");
            });
    before("later");
    after("after");
    assertEquals("no", Fixture.refused(IllegalStateException.class, sgd::step));
    assertEquals(List.of(), calls);
    assertEquals(1, p.item());
    assertEquals(0, sgd.stepsOf(p));
    assertEquals(Map.of(), sgd.stateDict().parameters());
    failing.remove();
    sgd.step();
    assertEquals(0.5, p.item());
  }

  @Test
  void aHookAfterThatThrowsComesAfterTheStep() {
    sgd.afterStep(
        () -> {
          throw new IllegalStateException("no");
        });
    after("later");
    assertThrows(IllegalStateException.class, sgd::step);
    assertEquals(0.5, p.item());
    assertEquals(1, sgd.stepsOf(p));
    assertEquals(List.of(), calls);
  }

  @Test
  void aClipMayBeAHook() {
    Clip clip = Clip.of(sgd);
    sgd.beforeStep(() -> clip.value(0.25));
    sgd.step();
    assertEquals(0.875, p.item());
  }

  @Test
  void hooksRunAfterAClosureThatMakesTheGradients() {
    p.zeroGrad();
    before("a");
    after("b");
    Clip clip = Clip.of(sgd);
    sgd.beforeStep(() -> clip.value(0.25));
    double loss =
        sgd.step(
            () -> {
              calls.add("closure");
              Tensor l = p.mul(3).sum();
              l.backward();
              return l;
            });
    assertEquals(3, loss);
    assertEquals(List.of("closure", "a at 1.0", "b at 0.875"), calls);
  }

  @Test
  void hooksRunAroundAllCallsOfALineSearch() {
    LBFGS lbfgs = LBFGS.of(NamedParameters.of(List.of(Map.entry("p", p))));
    lbfgs.beforeStep(() -> calls.add("before"));
    lbfgs.afterStep(() -> calls.add("after"));
    lbfgs.step(
        () -> {
          calls.add("closure");
          lbfgs.zeroGrad();
          Tensor l = p.pow(2).sum();
          l.backward();
          return l;
        });
    assertEquals("before", calls.get(0));
    assertEquals("after", calls.get(calls.size() - 1));
    assertTrue(calls.size() > 3, calls.toString());
    assertEquals(calls.size() - 2, calls.stream().filter("closure"::equals).count());
  }

  @Test
  void aStepInsideAStepIsRefused() {
    sgd.beforeStep(() -> sgd.step());
    assertEquals(
        "SGD.step: called by a hook before a step; the step comes after it by itself",
        Fixture.refused(IllegalStateException.class, sgd::step));
    assertEquals(1, p.item());
  }

  @Test
  @SuppressWarnings("NullAway") // what a caller without checks may do
  void noActionIsRefused() {
    assertEquals(
        "SGD.beforeStep: the action is null; give what is to be done",
        Fixture.refused(IllegalArgumentException.class, () -> sgd.beforeStep(null)));
    assertEquals(
        "SGD.afterStep: the action is null; give what is to be done",
        Fixture.refused(IllegalArgumentException.class, () -> sgd.afterStep(null)));
  }
}
