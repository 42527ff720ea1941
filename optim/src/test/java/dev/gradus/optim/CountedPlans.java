package dev.gradus.optim;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BackendException;
import dev.gradus.spi.SgdHyper;
import dev.gradus.spi.SgdPlan;
import dev.gradus.spi.SgdSlot;
import dev.gradus.tensor.Device;
import dev.gradus.testing.ReferenceBackend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/** A reference backend that counts its plans of SGD, and can refuse to make one. */
final class CountedPlans {
  private final Backend inner = new ReferenceBackend("counted");

  /** Plans that were made. */
  int made;

  /** Plans that were made and not closed. */
  int open;

  /** Whether the next plan is refused. */
  boolean refuses;

  private boolean closed;

  Device device() {
    Class<?>[] types = {Backend.class};
    return Device.over(
        (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(), types, this::call));
  }

  @SuppressWarnings("unchecked")
  private Object call(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (method.getName().equals("planSgd")) {
      return plan((List<SgdSlot>) arguments[0]);
    }
    closed |= method.getName().equals("close");
    try {
      return method.invoke(inner, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private SgdPlan plan(List<SgdSlot> slots) {
    if (refuses) {
      throw new BackendException("counted: no room for the plan");
    }
    SgdPlan plan = inner.planSgd(slots);
    made++;
    open++;
    return new SgdPlan() {
      @Override
      public void step(int[] hyperOfSlot, List<SgdHyper> hypers) {
        plan.step(hyperOfSlot, hypers);
      }

      @Override
      public void close() {
        if (closed) {
          throw new AssertionError("a plan was closed after its backend");
        }
        open--;
        plan.close();
      }
    };
  }
}
