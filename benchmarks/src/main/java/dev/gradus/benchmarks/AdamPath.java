package dev.gradus.benchmarks;

import dev.gradus.spi.AdamHyper;
import dev.gradus.spi.AdamPlan;
import dev.gradus.spi.AdamSlot;
import dev.gradus.spi.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The ways to update the slots of several groups through the backend's one method. */
public enum AdamPath {
  /** The default plan, of primitives: a dozen kernels for each slot. */
  COMPOSED,
  /** A plan for each slot. */
  PER_TENSOR,
  /** A plan for each group. */
  PER_GROUP,
  /** One plan for all: what the optimizers do. */
  ALL_GROUPS;

  /** A prepared plan, and the group of each of its slots. */
  static final class Part implements AutoCloseable {
    private final AdamPlan plan;
    private final int[] groupOfSlot;

    Part(AdamPlan plan, int[] groupOfSlot) {
      this.plan = plan;
      this.groupOfSlot = groupOfSlot;
    }

    void step(List<AdamHyper> hypers) {
      plan.step(groupOfSlot, hypers);
    }

    @Override
    public void close() {
      plan.close();
    }
  }

  /** The plans of a step. */
  List<Part> prepare(Backend backend, List<AdamSlot> slots, int[] groupOfSlot) {
    Backend b = this == COMPOSED ? new PrimitivesOf(backend) : backend;
    List<Part> parts = new ArrayList<>();
    int from = 0;
    for (int i = 1; i <= slots.size(); i++) {
      if (i == slots.size() || endsPart(groupOfSlot[i - 1], groupOfSlot[i])) {
        int[] groups = Arrays.copyOfRange(groupOfSlot, from, i);
        parts.add(new Part(b.planAdam(slots.subList(from, i)), groups));
        from = i;
      }
    }
    return parts;
  }

  private boolean endsPart(int group, int next) {
    return this == PER_TENSOR || (this == PER_GROUP && group != next);
  }
}
