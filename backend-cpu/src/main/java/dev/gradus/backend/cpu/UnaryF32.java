package dev.gradus.backend.cpu;

import dev.gradus.spi.UnaryOp;

/** Elementwise operations on one float32 operand. */
final class UnaryF32 {
  private final Parallel parallel;
  private final MathF32 math;

  UnaryF32(Parallel parallel, MathF32 math) {
    this.parallel = parallel;
    this.math = math;
  }

  void run(UnaryOp op, float[] x, float[] out, int n, double a, double b) {
    int work = weight(op);
    if (parallel.splits((long) n * work)) {
      parallel.ranges(n, work, (lo, hi) -> range(op, x, out, lo, hi, a, b));
    } else {
      range(op, x, out, 0, n, a, b);
    }
  }

  /** What an element costs, in cheap elements. */
  private static int weight(UnaryOp op) {
    return switch (op) {
      case NEG,
          ADD_SCALAR,
          MUL_SCALAR,
          DIV_SCALAR,
          RSUB_SCALAR,
          RDIV_SCALAR,
          SQRT,
          ABS,
          CLAMP,
          RELU,
          LEAKY_RELU ->
          1;
      case EXP, LOG, SIGMOID, TANH, SILU, GELU, GELU_TANH, SOFTPLUS -> 4;
      case POW_SCALAR, RPOW_SCALAR -> 16;
    };
  }

  private void range(UnaryOp op, float[] x, float[] out, int lo, int hi, double a, double b) {
    switch (op) {
      case NEG -> neg(x, out, lo, hi);
      case ADD_SCALAR -> add(x, (float) a, out, lo, hi);
      case MUL_SCALAR -> mul(x, (float) a, out, lo, hi);
      case DIV_SCALAR -> div(x, (float) a, out, lo, hi);
      case RSUB_SCALAR -> rsub(x, (float) a, out, lo, hi);
      case RDIV_SCALAR -> rdiv(x, (float) a, out, lo, hi);
      case POW_SCALAR -> pow(x, (float) a, out, lo, hi);
      case RPOW_SCALAR -> rpow(x, (float) a, out, lo, hi);
      case EXP -> math.exp(x, out, lo, hi);
      case LOG -> math.log(x, out, lo, hi);
      case SQRT -> sqrt(x, out, lo, hi);
      case ABS -> abs(x, out, lo, hi);
      case CLAMP -> clamp(x, (float) a, (float) b, out, lo, hi);
      case SIGMOID -> math.sigmoid(x, out, lo, hi);
      case TANH -> math.tanh(x, out, lo, hi);
      case RELU -> relu(x, out, lo, hi);
      case LEAKY_RELU -> leakyRelu(x, (float) a, out, lo, hi);
      case GELU -> math.gelu(x, out, lo, hi);
      case GELU_TANH -> math.geluTanh(x, out, lo, hi);
      case SILU -> math.silu(x, out, lo, hi);
      case SOFTPLUS -> math.softplus(x, (float) a, (float) b, out, lo, hi);
    }
  }

  private static void neg(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = -x[i];
    }
  }

  private static void add(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] + a;
    }
  }

  private static void mul(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] * a;
    }
  }

  private static void div(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = x[i] / a;
    }
  }

  private static void rsub(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = a - x[i];
    }
  }

  private static void rdiv(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = a / x[i];
    }
  }

  private static void pow(float[] x, float a, float[] out, int lo, int hi) {
    if (a == 2) {
      // The product of two floats is exact in double, so pow's rounded result is this one.
      for (int i = lo; i < hi; i++) {
        out[i] = x[i] * x[i];
      }
    } else {
      for (int i = lo; i < hi; i++) {
        out[i] = (float) Math.pow(x[i], a);
      }
    }
  }

  private static void rpow(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = (float) Math.pow(a, x[i]);
    }
  }

  private static void sqrt(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = (float) Math.sqrt(x[i]);
    }
  }

  private static void abs(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.abs(x[i]);
    }
  }

  private static void clamp(float[] x, float a, float b, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.min(Math.max(x[i], a), b);
    }
  }

  private static void relu(float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = Math.max(x[i], 0f);
    }
  }

  private static void leakyRelu(float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      float v = x[i];
      out[i] = v > 0 ? v : a * v;
    }
  }
}
