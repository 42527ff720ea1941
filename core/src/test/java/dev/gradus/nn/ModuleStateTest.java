package dev.gradus.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.DeviceMemoryException;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Moves that succeed as a whole or not at all. */
final class ModuleStateTest extends Fixture {
  /** The four parameters and the buffer of a {@link Model}. */
  private static final int STATES = 5;

  /** Four parameters, one of them under two names, and a buffer. */
  private static final class Model extends Module {
    final Linear first;
    final Linear tied;
    final Tensor scale;

    Model(Device device) {
      first = register("first", new Linear(device, 2, 3));
      tied = register("tied", Linear.of(first.weight(), new Parameter(device.ones(3))));
      register("last", Linear.withoutBias(device, 3, 2));
      scale = registerBuffer("scale", device.tensor(new float[] {7, 8}));
    }
  }

  /** A device with room for so many allocations from the moment that it is {@code limited}. */
  private static final class Small {
    private final Backend inner = new ReferenceBackend("small");
    private boolean limited;
    private int left;

    Device device() {
      Class<?>[] types = {Backend.class};
      return Device.over(
          (Backend)
              Proxy.newProxyInstance(
                  Backend.class.getClassLoader(),
                  types,
                  (proxy, method, arguments) -> {
                    if (limited && method.getName().equals("allocate") && left-- <= 0) {
                      throw new DeviceMemoryException("small: full");
                    }
                    return method.invoke(inner, arguments);
                  }));
    }

    void limit(int allocations) {
      limited = true;
      left = allocations;
    }
  }

  /** What a failed move must leave as it was. */
  private record Snapshot(Device device, DType dtype, List<float[]> values) {
    static Snapshot of(Model model) {
      Tensor any = model.scale;
      return new Snapshot(
          any.device(),
          any.dtype(),
          model.stateDict().values().stream().map(Tensor::toFloatArray).toList());
    }

    void holdsIn(Model model) {
      int i = 0;
      for (Map.Entry<String, Tensor> e : model.stateDict().entrySet()) {
        assertSame(device, e.getValue().device(), e.getKey());
        assertEquals(dtype, e.getValue().dtype(), e.getKey());
        assertArrayEquals(values.get(i++), e.getValue().toFloatArray(), e.getKey());
      }
    }
  }

  private static void isMovedAsAWhole(Model model, Device device, DType dtype) {
    for (Map.Entry<String, Tensor> e : model.stateDict().entrySet()) {
      assertSame(device, e.getValue().device(), e.getKey());
      assertEquals(dtype, e.getValue().dtype(), e.getKey());
    }
    assertSame(model.first.weight(), model.tied.weight());
  }

  private static boolean isRefused(Model model, Consumer<Model> move) {
    Snapshot before = Snapshot.of(model);
    try {
      move.accept(model);
      return false;
    } catch (BackendException full) {
      assertTrue(full.getMessage().contains("out of memory"), full.getMessage());
      before.holdsIn(model);
      return true;
    }
  }

  @Test
  void aDeviceThatTakesNotEverythingGetsNothing() {
    boolean refused = true;
    for (int room = 0; refused; room++) {
      Small small = new Small();
      Model model = new Model(device);
      try (Device target = small.device()) {
        small.limit(room);
        refused = isRefused(model, m -> m.to(target));
        assertTrue(refused || room >= STATES, "room for " + room);
        if (!refused) {
          isMovedAsAWhole(model, target, DType.F32);
        }
      }
    }
  }

  @Test
  void aTypeThatTheDeviceHasNoRoomForIsTakenByNone() {
    boolean refused = true;
    for (int room = 0; refused; room++) {
      Small small = new Small();
      try (Device target = small.device()) {
        Model model = new Model(target);
        small.limit(room);
        refused = isRefused(model, m -> m.to(DType.F64));
        assertTrue(refused || room >= STATES, "room for " + room);
        if (!refused) {
          isMovedAsAWhole(model, target, DType.F64);
        }
      }
    }
  }

  @Test
  void aMoveGivesTheOldMemoryBackAndTakesNoMoreThanTheModelNeeds() {
    try (Device from = Device.over(new ReferenceBackend("from"));
        Device to = Device.over(new ReferenceBackend("to"))) {
      Model model;
      try (Scope construction = Scope.open()) {
        model = new Model(from);
        assertTrue(construction.size() > 0);
      }
      long bytes = from.bytesInUse();
      model.to(to);
      assertEquals(0, from.bytesInUse());
      assertEquals(bytes, to.bytesInUse());
      model.to(DType.F64);
      assertEquals(2 * bytes, to.bytesInUse());
    }
  }
}
