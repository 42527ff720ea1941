package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gradus.nn.Linear;
import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.BackendException;
import dev.gradus.tensor.Device;
import dev.gradus.types.DType;
import org.junit.jupiter.api.Test;

/** The life of prepared updates. */
class StepperTest {
  private final CountedPlans plans = new CountedPlans();
  private final Device device = plans.device();

  private static void gradients(NamedParameters named) {
    named.parameters().forEach(p -> Fixture.gradientOf(p, 1));
  }

  @Test
  void anUpdateThatIsMadeAnewClosesTheOldOne() {
    NamedParameters named = Fixture.random(device, DType.F32, 1, "a", "b");
    SGD sgd = SGD.of(named);
    for (double momentum : new double[] {0, 0.9, 0, 0.9}) {
      sgd.group("all").options(o -> o.withMomentum(momentum));
      gradients(named);
      sgd.step();
      sgd.step();
      assertEquals(1, plans.open);
    }
    assertEquals(4, plans.made);
  }

  @Test
  void anUpdateThatCannotBeMadeLeavesTheOldOneAndClosesItsOwnParts() {
    CountedPlans others = new CountedPlans();
    NamedParameters named =
        Fixture.random(device, DType.F32, 1, "a")
            .and(Fixture.random(others.device(), DType.F32, 1, "b"));
    SGD sgd = SGD.of(named);
    gradients(named);
    sgd.step();
    sgd.group("all").options(o -> o.withMomentum(0.9));
    others.refuses = true;
    assertEquals(
        "counted: no room for the plan", Fixture.refused(BackendException.class, sgd::step));
    assertEquals(2, plans.made);
    assertEquals(1, plans.open);
    assertEquals(1, others.open);
    assertEquals(1, sgd.stepsOf(named.get("a")));
    others.refuses = false;
    sgd.step();
    assertEquals(3, plans.made);
    assertEquals(1, plans.open);
    assertEquals(1, others.open);
  }

  @Test
  void theUpdateOfADeviceThatIsClosedHasEndedWithIt() {
    Linear model = new Linear(device, 2, 2);
    SGD sgd = SGD.of(model.namedParameters());
    gradients(model.namedParameters());
    sgd.step();
    assertEquals(1, plans.open);
    CountedPlans later = new CountedPlans();
    Device second = later.device();
    model.to(second);
    device.close();
    gradients(model.namedParameters());
    sgd.step();
    assertEquals(1, later.open);
    Parameter p = model.weight();
    assertSame(second, p.device());
    assertEquals(2, sgd.stepsOf(p));
  }
}
