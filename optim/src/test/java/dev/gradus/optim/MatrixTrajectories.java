package dev.gradus.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.nn.Parameter;
import dev.gradus.tensor.Device;
import dev.gradus.testing.Golden;
import dev.gradus.types.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Golden trajectories over parameters of several shapes, with recorded gradients: what {@code
 * muon.json} and {@code adafactor.json} hold.
 */
final class MatrixTrajectories {
  private final Map<String, Object> file;
  private final List<long[]> shapes = new ArrayList<>();

  /** What follows a trajectory: the optimizer asked for, over these parameters. */
  interface Maker {
    Optimizer<?> make(List<Parameter> parameters, Map<String, Object> options);
  }

  MatrixTrajectories(String name) {
    file = Golden.load(name);
    for (Object shape : Golden.list(Golden.get(file, "shapes"))) {
      double[] sizes = Golden.doubles(shape);
      long[] dims = new long[sizes.length];
      for (int i = 0; i < dims.length; i++) {
        dims[i] = (long) sizes[i];
      }
      shapes.add(dims);
    }
  }

  /**
   * Follows every case.
   *
   * @param tolerance by the type, relative to values above 1
   * @return how many there are
   */
  int follow(Device device, Maker maker, ToDoubleFunction<DType> tolerance) {
    List<Object> cases = Golden.list(Golden.get(file, "cases"));
    for (Object c : cases) {
      Map<String, Object> golden = Golden.map(c);
      boolean single = Golden.text(golden.get("dtype")).equals("float32");
      follow(device, single ? DType.F32 : DType.F64, golden, maker, tolerance);
    }
    return cases.size();
  }

  private void follow(
      Device device,
      DType dtype,
      Map<String, Object> golden,
      Maker maker,
      ToDoubleFunction<DType> tolerance) {
    List<Object> starts = Golden.list(Golden.get(file, "starts"));
    List<Parameter> parameters = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      parameters.add(
          new Parameter(
              device.tensor(Golden.doubles(starts.get(i))).to(dtype).reshape(shapes.get(i))));
    }
    Map<String, Object> options = Golden.map(Golden.get(golden, "options"));
    Optimizer<?> optimizer = maker.make(parameters, options);
    List<Object> gradients = Golden.list(Golden.get(file, "gradients"));
    List<Object> values = Golden.list(Golden.get(golden, "values"));
    for (int t = 0; t < gradients.size(); t++) {
      List<Object> step = Golden.list(gradients.get(t));
      for (int i = 0; i < parameters.size(); i++) {
        Fixture.gradient(parameters.get(i), Golden.doubles(step.get(i)));
      }
      optimizer.step();
      int recorded = t - gradients.size() + values.size();
      for (int i = 0; recorded >= 0 && i < parameters.size(); i++) {
        double[] expected = Golden.doubles(Golden.list(values.get(recorded)).get(i));
        String what = options + " step " + t + " parameter " + i;
        close(what, expected, Fixture.values(parameters.get(i)), tolerance.applyAsDouble(dtype));
      }
    }
    List<Object> state = Golden.list(Golden.get(golden, "state"));
    for (int i = 0; i < parameters.size(); i++) {
      Map<String, StateTensor> buffers = optimizer.groups().get(0).members().get(i).buffers;
      Map<String, Object> saved = Golden.map(state.get(i));
      assertEquals(saved.keySet(), buffers.keySet());
      for (Map.Entry<String, StateTensor> e : buffers.entrySet()) {
        double[] expected = Golden.doubles(Golden.get(saved, e.getKey()));
        close(
            options + " " + e.getKey() + i,
            expected,
            Fixture.values(e.getValue()),
            tolerance.applyAsDouble(dtype));
      }
    }
  }

  private static void close(String what, double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(expected[i] - actual[i]) / Math.max(1, Math.abs(expected[i]));
      worst = Math.max(worst, error);
    }
    assertTrue(worst <= tolerance, what + ": off by " + worst);
  }
}
