package dev.gradus.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.spi.Pointwise.Operand;
import dev.gradus.spi.PointwiseBuilder.Value;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PointwiseBuilderTest {
  private static final Operand PARAM = new Operand(Operand.Kind.PARAM, 0);
  private static final Operand GRAD = new Operand(Operand.Kind.GRAD, 0);
  private static final Operand BUFFER = new Operand(Operand.Kind.BUFFER, 0);
  private static final Operand REGISTER = new Operand(Operand.Kind.REGISTER, 0);

  private static Operand scalar(int index) {
    return new Operand(Operand.Kind.SCALAR, index);
  }

  /** Adagrad with this rate and eps. */
  private static PointwiseStep adagrad(double lr, double eps) {
    PointwiseBuilder u = new PointwiseBuilder(List.of("sum"));
    Value g = u.grad();
    Value s = u.set("sum", u.buffer("sum").addcmul(g, g, 1));
    u.setParam(u.param().addcdiv(g, s.sqrt().add(eps), -lr));
    return u.build();
  }

  @Test
  void resultsAreComputedInTheirPlacesAndRegistersAreUsedAgain() {
    Pointwise program = adagrad(0.1, 1e-10).program();
    assertEquals(2, program.registers());
    Operand second = new Operand(Operand.Kind.REGISTER, 1);
    assertEquals(
        List.of(
            new Pointwise.Instruction(PointwiseOp.FMA, BUFFER, List.of(GRAD, GRAD, BUFFER)),
            new Pointwise.Instruction(PointwiseOp.SQRT, REGISTER, List.of(BUFFER)),
            new Pointwise.Instruction(PointwiseOp.ADD, REGISTER, List.of(REGISTER, scalar(0))),
            new Pointwise.Instruction(PointwiseOp.MUL, second, List.of(GRAD, scalar(1))),
            new Pointwise.Instruction(PointwiseOp.DIV, REGISTER, List.of(second, REGISTER)),
            new Pointwise.Instruction(PointwiseOp.ADD, PARAM, List.of(PARAM, REGISTER))),
        program.code());
    assertEquals(Set.of(GRAD, BUFFER, PARAM), program.loads());
    assertEquals(Set.of(BUFFER, PARAM), program.stores());
  }

  @Test
  void programsAreEqualWhateverTheScalars() {
    assertEquals(adagrad(0.1, 1e-10).program(), adagrad(0.2, 1e-8).program());
    assertEquals(List.of(1e-10, -0.1), adagrad(0.1, 1e-10).scalars());
    assertNotEquals(adagrad(0.1, 1e-10), adagrad(0.2, 1e-10));
  }

  @Test
  void aPlaceWhoseOldValueIsStillReadIsWrittenLast() {
    PointwiseBuilder u = new PointwiseBuilder(List.of("b"));
    Value before = u.param();
    Value after = u.setParam(before.add(u.grad()));
    u.set("b", after.sub(before));
    assertEquals(
        List.of(
            new Pointwise.Instruction(PointwiseOp.ADD, REGISTER, List.of(PARAM, GRAD)),
            new Pointwise.Instruction(PointwiseOp.SUB, BUFFER, List.of(REGISTER, PARAM)),
            new Pointwise.Instruction(PointwiseOp.COPY, PARAM, List.of(REGISTER))),
        u.build().program().code());
  }

  @Test
  void whatWasSetLastHolds() {
    PointwiseBuilder u = new PointwiseBuilder(List.of());
    u.setParam(u.param().mul(0.9));
    u.setParam(u.param().sub(u.grad()));
    assertEquals(
        List.of(
            new Pointwise.Instruction(PointwiseOp.MUL, REGISTER, List.of(PARAM, scalar(0))),
            new Pointwise.Instruction(PointwiseOp.SUB, PARAM, List.of(REGISTER, GRAD))),
        u.build().program().code());
  }

  @Test
  void aBufferThatThereIsNotIsNamed() {
    PointwiseBuilder u = new PointwiseBuilder(List.of("exp_avg", "exp_avg_sq"));
    assertEquals(
        "pointwise: there is no buffer 'exp_avgs'; there are [exp_avg, exp_avg_sq]",
        assertThrows(IllegalArgumentException.class, () -> u.buffer("exp_avgs")).getMessage());
  }

  @Test
  void aValueOfAnotherBuilderIsRefused() {
    PointwiseBuilder u = new PointwiseBuilder(List.of());
    Value other = new PointwiseBuilder(List.of()).grad();
    String text = "pointwise: a value is of another builder; make all values of a program with one";
    Value own = u.param();
    assertEquals(
        text, assertThrows(IllegalArgumentException.class, () -> own.add(other)).getMessage());
    assertEquals(
        text, assertThrows(IllegalArgumentException.class, () -> u.setParam(other)).getMessage());
  }
}
