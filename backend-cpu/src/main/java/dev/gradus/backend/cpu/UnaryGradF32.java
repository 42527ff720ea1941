package dev.gradus.backend.cpu;

import dev.gradus.spi.UnaryOp;

/** The gradients of elementwise operations on one float32 operand. */
final class UnaryGradF32 {
  private static final int INFINITY_BITS = 0x7f800000;
  private static final int SIGN_BIT = 0x80000000;
  private static final int ONE_BITS = 0x3f800000;

  private final Parallel parallel;
  private final MathF32 math;

  UnaryGradF32(Parallel parallel, MathF32 math) {
    this.parallel = parallel;
    this.math = math;
  }

  void run(UnaryOp op, float[] g, float[] s, float[] out, int n, double a, double b) {
    int work = weight(op);
    if (parallel.splits((long) n * work)) {
      parallel.ranges(n, work, (lo, hi) -> range(op, g, s, out, lo, hi, a, b));
    } else {
      range(op, g, s, out, 0, n, a, b);
    }
  }

  private static int weight(UnaryOp op) {
    return switch (op) {
      case NEG,
          ADD_SCALAR,
          MUL_SCALAR,
          DIV_SCALAR,
          RSUB_SCALAR,
          RDIV_SCALAR,
          RPOW_SCALAR,
          EXP,
          LOG,
          SQRT,
          ABS,
          CLAMP,
          SIGMOID,
          TANH,
          RELU,
          LEAKY_RELU ->
          1;
      case SILU, SOFTPLUS, GELU, GELU_TANH -> 4;
      case POW_SCALAR -> 16;
    };
  }

  private void range(
      UnaryOp op, float[] g, float[] s, float[] out, int lo, int hi, double a, double b) {
    float fa = (float) a;
    float fb = (float) b;
    switch (op) {
      case NEG, RSUB_SCALAR -> neg(g, out, lo, hi);
      case ADD_SCALAR -> copy(g, out, lo, hi);
      case MUL_SCALAR -> mul(g, fa, out, lo, hi);
      case DIV_SCALAR -> div(g, fa, out, lo, hi);
      case RDIV_SCALAR -> rdiv(g, s, fa, out, lo, hi);
      case POW_SCALAR -> pow(g, s, fa, out, lo, hi);
      case RPOW_SCALAR -> rpow(g, s, fa, out, lo, hi);
      case EXP -> exp(g, s, out, lo, hi);
      case LOG -> log(g, s, out, lo, hi);
      case SQRT -> sqrt(g, s, out, lo, hi);
      case ABS -> abs(g, s, out, lo, hi);
      case CLAMP -> clamp(g, s, fa, fb, out, lo, hi);
      case SIGMOID -> sigmoid(g, s, out, lo, hi);
      case TANH -> tanh(g, s, out, lo, hi);
      case RELU -> relu(g, s, out, lo, hi);
      case LEAKY_RELU -> leakyRelu(g, s, fa, out, lo, hi);
      case GELU -> math.geluGrad(g, s, out, lo, hi);
      case GELU_TANH -> math.geluTanhGrad(g, s, out, lo, hi);
      case SILU -> math.siluGrad(g, s, out, lo, hi);
      case SOFTPLUS -> math.softplusGrad(g, s, fa, fb, out, lo, hi);
    }
  }

  private static void neg(float[] g, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = -g[i];
    }
  }

  private static void copy(float[] g, float[] out, int lo, int hi) {
    if (g != out) {
      System.arraycopy(g, lo, out, lo, hi - lo);
    }
  }

  private static void mul(float[] g, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] * a;
    }
  }

  private static void div(float[] g, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] / a;
    }
  }

  private static void rdiv(float[] g, float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] * (-(a / x[i]) / x[i]);
    }
  }

  private static void pow(float[] g, float[] x, float a, float[] out, int lo, int hi) {
    if (a == 2) {
      for (int i = lo; i < hi; i++) {
        out[i] = g[i] * (2f * x[i]);
      }
    } else {
      for (int i = lo; i < hi; i++) {
        out[i] = (float) (g[i] * Scalars.powSlope(x[i], a));
      }
    }
  }

  private static void rpow(float[] g, float[] y, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = (float) (g[i] * Scalars.rpowSlope(y[i], a));
    }
  }

  private static void exp(float[] g, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] * y[i];
    }
  }

  private static void log(float[] g, float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] / x[i];
    }
  }

  private static void sqrt(float[] g, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] / (2f * y[i]);
    }
  }

  private static void abs(float[] g, float[] x, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      int bits = Float.floatToRawIntBits(x[i]);
      int size = bits & ~SIGN_BIT;
      // All ones where size lies in [1, that of infinity], so neither 0 nor NaN.
      int mask = ~((size - 1) | (INFINITY_BITS - size)) >> 31;
      out[i] = g[i] * Float.intBitsToFloat(((bits & SIGN_BIT) | ONE_BITS) & mask);
    }
  }

  private static void clamp(float[] g, float[] x, float a, float b, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      float v = x[i];
      out[i] = v >= a && v <= b ? g[i] : 0f;
    }
  }

  private static void sigmoid(float[] g, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] * (y[i] * (1f - y[i]));
    }
  }

  private static void tanh(float[] g, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      out[i] = g[i] * (1f - y[i] * y[i]);
    }
  }

  private static void relu(float[] g, float[] y, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      int bits = Float.floatToRawIntBits(y[i]) & ~SIGN_BIT;
      // All ones where y is not 0: a branch would be predicted wrongly half the time.
      int mask = (bits | -bits) >> 31;
      out[i] = Float.intBitsToFloat(Float.floatToRawIntBits(g[i]) & mask);
    }
  }

  private static void leakyRelu(float[] g, float[] x, float a, float[] out, int lo, int hi) {
    for (int i = lo; i < hi; i++) {
      float v = g[i];
      out[i] = x[i] > 0 ? v : v * a;
    }
  }
}
