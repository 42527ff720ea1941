package dev.gradus.optim;

import dev.gradus.nn.NamedParameters;
import dev.gradus.nn.Parameter;
import dev.gradus.spi.Backend;
import dev.gradus.spi.Gradient;
import dev.gradus.spi.Storage;
import dev.gradus.spi.UnaryOp;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Profiler;
import dev.gradus.tensor.Scope;
import dev.gradus.tensor.Tensor;
import dev.gradus.types.DType;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The gradients of some parameters, dense or rows of tables, those that there are when they are
 * used: read and changed in place, all of a device together.
 */
final class Gradients {
  private final List<? extends ParamGroup<?>> groups;
  private final List<Member> listed;
  private final List<Part> parts = new ArrayList<>();

  /** The gradients on one device. */
  static final class Part {
    final Device device;
    final List<Member> members = new ArrayList<>();

    /** For each member the sum of powers of its gradient, once they were read. */
    double[] sums = {};

    private final List<Gradient> gradients = new ArrayList<>();
    private final List<Storage> dense = new ArrayList<>();
    private final List<Gradient.Rows> rows = new ArrayList<>();

    private Part(Device device) {
      this.device = device;
    }

    private void clear() {
      members.clear();
      gradients.clear();
      dense.clear();
      rows.clear();
    }

    private void add(Member m) {
      Gradient.Rows r = m.parameter.gradRows();
      members.add(m);
      if (r != null) {
        gradients.add(r);
        rows.add(r);
      } else {
        Storage values = m.parameter.grad().storage();
        gradients.add(new Gradient.Dense(values));
        dense.add(values);
      }
    }

    private void read(double p) {
      Backend backend = device.backend();
      double[] ofDense = new double[dense.size()];
      double[] ofRows = new double[rows.size()];
      if (!dense.isEmpty()) {
        Tensor out = device.zeros(DType.F64, dense.size());
        backend.sumPowers(dense, p, out.storage());
        backend.download(out.storage(), DoubleBuffer.wrap(ofDense));
      }
      if (!rows.isEmpty()) {
        Tensor out = device.zeros(DType.F64, rows.size());
        backend.sumRowPowers(rows, p, out.storage());
        backend.download(out.storage(), DoubleBuffer.wrap(ofRows));
      }
      sums = new double[members.size()];
      int d = 0;
      int r = 0;
      for (int i = 0; i < sums.length; i++) {
        sums[i] = gradients.get(i) instanceof Gradient.Rows ? ofRows[r++] : ofDense[d++];
      }
    }

    private void apply(UnaryOp op, double a, double b) {
      for (int i = 0; i < members.size(); i++) {
        Gradient g = gradients.get(i);
        device.backend().unary(op, g.values(), g.values(), a, b);
        if (g instanceof Gradient.Rows) {
          members.get(i).parameter.gradRowsChanged();
        } else {
          members.get(i).parameter.grad().changed();
        }
      }
    }
  }

  private Gradients(List<? extends ParamGroup<?>> groups, List<Member> listed) {
    this.groups = groups;
    this.listed = listed;
  }

  /** Those of all parameters in some groups; the list may grow. */
  static Gradients of(List<? extends ParamGroup<?>> groups) {
    return new Gradients(groups, List.of());
  }

  /** Those of these parameters. */
  static Gradients of(NamedParameters parameters) {
    List<Member> members = new ArrayList<>();
    for (Map.Entry<String, Parameter> e : parameters) {
      members.add(new Member(e.getKey(), e.getValue()));
    }
    return new Gradients(List.of(), members);
  }

  /** The gradients that there are now. */
  List<Part> collect() {
    for (int k = 0; k < parts.size(); k++) {
      parts.get(k).clear();
    }
    for (int g = 0; g < groups.size(); g++) {
      collect(groups.get(g).members());
    }
    collect(listed);
    parts.removeIf(part -> part.members.isEmpty());
    return parts;
  }

  private void collect(List<Member> members) {
    for (int i = 0; i < members.size(); i++) {
      Member m = members.get(i);
      if (m.parameter.hasGrad()) {
        part(m.parameter.device()).add(m);
      }
    }
  }

  private Part part(Device device) {
    for (int k = 0; k < parts.size(); k++) {
      if (parts.get(k).device == device) {
        return parts.get(k);
      }
    }
    Part part = new Part(device);
    parts.add(part);
    return part;
  }

  /** Reads the sums of powers of what was collected. Waits for the devices. */
  @SuppressWarnings("try") // scope and span are open for their effect
  void read(String who, double p) {
    for (int k = 0; k < parts.size(); k++) {
      Part part = parts.get(k);
      try (Scope scope = Scope.open();
          Profiler.Span span = part.device.profiler().update(who)) {
        part.read(p);
      }
    }
  }

  /** Changes every element of what was collected. */
  @SuppressWarnings("try") // the span is open for its effect
  void apply(String who, UnaryOp op, double a, double b) {
    for (int k = 0; k < parts.size(); k++) {
      Part part = parts.get(k);
      try (Profiler.Span span = part.device.profiler().update(who)) {
        part.apply(op, a, b);
      }
    }
  }
}
