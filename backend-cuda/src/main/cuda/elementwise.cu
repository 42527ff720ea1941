// Operations on each element by itself: a thread has one pack of elements, then the one a grid further.
// out may be an operand: an element is read before it is written, by the same thread.
#include "arithmetic.cuh"
#include "common.cuh"

// ---- formulas

// Java's power: NaN to the exponent gives NaN, and so does an infinite exponent of 1 and -1.
__device__ double power(double x, double y) {
  if (y != y || (fabs(x) == 1 && isinf(y))) return x + __longlong_as_double(0x7ff8000000000000);
  return pow(x, y);
}
// In double: a float power has no float way within two units in the last place.
__device__ float power(float x, float y) { return (float)power((double)x, (double)y); }

template <typename T>
__device__ __forceinline__ T sigmoid(T x) {
  return 1 / (1 + exp(-x));
}

// The distribution function of the normal distribution.
template <typename T>
__device__ __forceinline__ T phi(T x) {
  return T(0.5) * (1 + erf(x * T(0.70710678118654752440)));
}

// The GELU by tanh: sqrt(2 / pi) (x + 0.044715 x^3), and tanh of it.
template <typename T>
__device__ __forceinline__ T gelu_tanh(T x) {
  return tanh(T(0.79788456080286535588) * (x + T(0.044715) * x * x * x));
}

template <typename T>
__device__ __forceinline__ T gelu_tanh_slope(T x) {
  // There tanh is 1 or -1 in any type, and the square may overflow.
  if (fabs(x) > 10) return x > 0 ? T(1) : T(0);
  T t = gelu_tanh(x);
  T inner = T(0.79788456080286535588) * (1 + 3 * T(0.044715) * x * x);
  return (1 + t) / 2 + x / 2 * (1 - t * t) * inner;
}

template <typename T>
__device__ __forceinline__ T bce(T x, T y) {
  T lnX = larger(log(x), T(-100));
  T lnRest = larger(log1p(-x), T(-100));
  return -(y * lnX + (1 - y) * lnRest);
}

// ---- one operand: out = op(x), with the numbers a and b

#define UNARY_OF(name, type, TYPE, W, formula)                             \
  KERNEL name##_##type(const TYPE *xs, TYPE *out, i64 n, TYPE a, TYPE b) { \
    typedef TYPE T;                                                        \
    FOR_PACKS(i, n, W) {                                                   \
      Pack<T, W> r = load<W>(xs, i);                                    \
      _Pragma("unroll") for (int k = 0; k < W; k++) {                      \
        T x = r.v[k];                                                      \
        r.v[k] = formula;                                                  \
      }                                                                    \
      store<W>(out, i, r);                                              \
    }                                                                      \
  }
#define UNARY(name, formula)               \
  UNARY_OF(name, f32, float, 4, formula)   \
  UNARY_OF(name, f64, double, 2, formula)
// What takes many instructions, one element at a time.
#define UNARY_LONG(name, W, formula)       \
  UNARY_OF(name, f32, float, W, formula)   \
  UNARY_OF(name, f64, double, 1, formula)

UNARY(neg, -x)
UNARY(add_scalar, x + a)
UNARY(mul_scalar, x * a)
UNARY(div_scalar, x / a)
UNARY(rsub_scalar, a - x)
UNARY(rdiv_scalar, a / x)
UNARY_LONG(pow_scalar, 1, a == 2 ? x * x : power(x, a))
UNARY_LONG(rpow_scalar, 1, power(a, x))
UNARY_LONG(exp, 4, exp(x))
UNARY_LONG(log, 4, log(x))
UNARY(sqrt, sqrt(x))
UNARY(abs, fabs(x))
UNARY(clamp, smaller(larger(x, a), b))
UNARY_LONG(sigmoid, 4, sigmoid(x))
UNARY_LONG(tanh, 4, tanh(x))
UNARY(relu, x < 0 ? T(0) : x)
UNARY(leaky_relu, x > 0 ? x : a * x)
UNARY_LONG(gelu, 4, x * phi(x))
UNARY_LONG(gelu_tanh, 4, x / 2 * (1 + gelu_tanh(x)))
UNARY_LONG(silu, 4, x * sigmoid(x))
UNARY_LONG(softplus, 4, a * x > b ? x : log1p(exp(a * x)) / a)

#define UNARY_I64(name, formula) UNARY_OF(name, i64, i64, 2, formula)
UNARY_I64(neg, (i64)(0 - (u64)x))
UNARY_I64(abs, x < 0 ? (i64)(0 - (u64)x) : x)
UNARY_I64(add_scalar, (i64)((u64)x + (u64)a))
UNARY_I64(mul_scalar, (i64)((u64)x * (u64)a))
UNARY_I64(clamp, smaller(larger(x, a), b))

// ---- the derivative: out = g op'(s), s the operand or the result of the forward call

#define GRAD_OF(name, type, TYPE, W, formula)                                                         \
  KERNEL name##_grad_##type(const TYPE *grads, const TYPE *saved, TYPE *out, i64 n, TYPE a, TYPE b) { \
    typedef TYPE T;                                                                                   \
    FOR_PACKS(i, n, W) {                                                                              \
      Pack<T, W> r = load<W>(grads, i);                                                            \
      Pack<T, W> q = load<W>(saved, i);                                                            \
      _Pragma("unroll") for (int k = 0; k < W; k++) {                                                 \
        T g = r.v[k];                                                                                 \
        T s = q.v[k];                                                                                 \
        r.v[k] = formula;                                                                             \
      }                                                                                               \
      store<W>(out, i, r);                                                                         \
    }                                                                                                 \
  }
#define GRAD(name, formula)              \
  GRAD_OF(name, f32, float, 4, formula)  \
  GRAD_OF(name, f64, double, 2, formula)
#define GRAD_LONG(name, W, formula)      \
  GRAD_OF(name, f32, float, W, formula)  \
  GRAD_OF(name, f64, double, 1, formula)

GRAD(rdiv_scalar, g * (-(a / s) / s))
GRAD_LONG(pow_scalar, 1, g * (a == 0 ? T(0) : a == 2 ? 2 * s : a * power(s, a - 1)))
GRAD_LONG(rpow_scalar, 1, g * (a == 0 && s < 1 / T(0) ? T(0) : s * log(a)))
GRAD(exp, g * s)
GRAD(log, g / s)
GRAD(sqrt, g / (2 * s))
GRAD(abs, g * (s > 0 ? T(1) : s < 0 ? T(-1) : T(0)))
GRAD(clamp, a <= s && s <= b ? g : T(0))
GRAD(sigmoid, g * (s * (1 - s)))
GRAD(tanh, g * (1 - s * s))
GRAD(relu, s == 0 ? T(0) : g)
GRAD(leaky_relu, g * (s > 0 ? T(1) : a))
GRAD_LONG(gelu, 4, g * (phi(s) + s * exp(-s * s / 2) * T(0.39894228040143267794)))
GRAD_LONG(gelu_tanh, 4, g * gelu_tanh_slope(s))
GRAD_LONG(silu, 4, g * (sigmoid(s) * (1 + s * (1 - sigmoid(s)))))
GRAD_LONG(softplus, 4, g * (a * s > b ? T(1) : sigmoid(a * s)))

// ---- two operands, each spread over the result

enum { FULL, SCALAR, ROW, COLUMN };

// The elements from i on of an operand that is spread: of a row of `by` elements i % by, of a column whose elements are
// held for `by` elements i / by.
template <int W, typename T>
__device__ __forceinline__ Pack<T, W> spread(const T *p, int how, i64 by, i64 i) {
  if (how == FULL) return load<W>(p, i);
  Pack<T, W> r;
  i64 quotient = 0;
  i64 rest = 0;
  if (how != SCALAR) {
    quotient = i / by;
    rest = i - quotient * by;
  }
#pragma unroll
  for (int k = 0; k < W; k++) {
    r.v[k] = p[how == SCALAR ? 0 : how == ROW ? rest : quotient];
    if (++rest == by) {
      rest = 0;
      quotient++;
    }
  }
  return r;
}

#define BINARY_OF(name, type, TYPE, W, formula)                                                                       \
  KERNEL name##_##type(const TYPE *xs, const TYPE *ys, TYPE *out, i64 n, i64 xBy, i64 yBy, int xHow, int yHow, TYPE a) {\
    typedef TYPE T;                                                                                                   \
    FOR_PACKS(i, n, W) {                                                                                              \
      Pack<T, W> r = spread<W>(xs, xHow, xBy, i);                                                                  \
      Pack<T, W> q = spread<W>(ys, yHow, yBy, i);                                                                  \
      _Pragma("unroll") for (int k = 0; k < W; k++) {                                                                 \
        T x = r.v[k];                                                                                                 \
        T y = q.v[k];                                                                                                 \
        r.v[k] = formula;                                                                                             \
      }                                                                                                               \
      store<W>(out, i, r);                                                                                         \
    }                                                                                                                 \
  }
#define BINARY(name, formula)             \
  BINARY_OF(name, f32, float, 4, formula) \
  BINARY_OF(name, f64, double, 2, formula)
#define BINARY_LONG(name, W, formula)     \
  BINARY_OF(name, f32, float, W, formula) \
  BINARY_OF(name, f64, double, 1, formula)

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(div, x / y)
BINARY_LONG(pow, 1, power(x, y))
BINARY(maximum, larger(x, y))
BINARY(minimum, smaller(x, y))
BINARY(add_scaled, fused(a, y, x))
BINARY(lerp, lerp(x, y, a))
BINARY_LONG(bce, 4, bce(x, y))

#define BINARY_I64(name, formula) BINARY_OF(name, i64, i64, 2, formula)
BINARY_I64(add, (i64)((u64)x + (u64)y))
BINARY_I64(sub, (i64)((u64)x - (u64)y))
BINARY_I64(mul, (i64)((u64)x * (u64)y))
BINARY_I64(maximum, larger(x, y))
BINARY_I64(minimum, smaller(x, y))

// Comparisons: bit 0 of `holds` says whether less gives true, bit 1 equal, bit 2 greater, bit 3 none of these.
#define COMPARE(type, T, W)                                                                            \
  KERNEL compare_##type(const T *xs, const T *ys, u8 *out, i64 n, i64 xBy, i64 yBy, int xHow, int yHow, \
                        int holds) {                                                                   \
    FOR_PACKS(i, n, W) {                                                                               \
      Pack<T, W> r = spread<W>(xs, xHow, xBy, i);                                                   \
      Pack<T, W> q = spread<W>(ys, yHow, yBy, i);                                                   \
      Pack<u8, W> o;                                                                                   \
      _Pragma("unroll") for (int k = 0; k < W; k++) {                                                  \
        T x = r.v[k];                                                                                  \
        T y = q.v[k];                                                                                  \
        int which = x < y ? 1 : x == y ? 2 : x > y ? 4 : 8;                                            \
        o.v[k] = (which & holds) != 0;                                                                 \
      }                                                                                                \
      store<W>(out, i, o);                                                                          \
    }                                                                                                  \
  }
COMPARE(f32, float, 4)
COMPARE(f64, double, 2)
COMPARE(i64, i64, 2)
COMPARE(bool, u8, 4)

// ---- three operands; of one that is single its one element is taken

template <int W, typename T>
__device__ __forceinline__ Pack<T, W> loadOr(const T *p, bool single, i64 i) {
  return spread<W>(p, single ? SCALAR : FULL, 1, i);
}

#define TERNARY_OF(name, type, T, W, formula)                                                               \
  KERNEL name##_##type(const T *xs, const T *ys, const T *zs, T *out, i64 n, int xOne, int yOne, int zOne, \
                       T a) {                                                                              \
    FOR_PACKS(i, n, W) {                                                                                   \
      Pack<T, W> r = loadOr<W>(xs, xOne, i);                                                               \
      Pack<T, W> q = loadOr<W>(ys, yOne, i);                                                               \
      Pack<T, W> p = loadOr<W>(zs, zOne, i);                                                               \
      _Pragma("unroll") for (int k = 0; k < W; k++) q.v[k] = formula(r.v[k], q.v[k], p.v[k], a);           \
      store<W>(out, i, q);                                                                                 \
    }                                                                                                      \
  }
#define TERNARY(name)                          \
  TERNARY_OF(name, f32, float, 4, name<float>) \
  TERNARY_OF(name, f64, double, 2, name<double>)

template <typename T>
__device__ __forceinline__ T addcmul(T x, T y, T z, T a) {
  return fused(times(a, y), z, x);
}
template <typename T>
__device__ __forceinline__ T addcdiv(T x, T y, T z, T a) {
  return plus(x, times(a, y) / z);
}
template <typename T>
__device__ __forceinline__ T max_grad(T x, T y, T z, T) {
  return y < z ? T(0) : y == z ? x / 2 : x;
}
template <typename T>
__device__ __forceinline__ T bce_grad(T x, T y, T z, T) {
  return x * (y - z) / larger((1 - y) * y, T(1e-12));
}
TERNARY(addcmul)
TERNARY(addcdiv)
TERNARY(max_grad)
TERNARY(bce_grad)

// x ? y : z, by the size of an element.
#define WHERE(type, T, W)                                                                                        \
  KERNEL where_##type(const u8 *xs, const T *ys, const T *zs, T *out, i64 n, int xOne, int yOne, int zOne) {     \
    FOR_PACKS(i, n, W) {                                                                                         \
      Pack<u8, W> r = loadOr<W>(xs, xOne, i);                                                                    \
      Pack<T, W> q = loadOr<W>(ys, yOne, i);                                                                     \
      Pack<T, W> p = loadOr<W>(zs, zOne, i);                                                                     \
      _Pragma("unroll") for (int k = 0; k < W; k++) q.v[k] = r.v[k] ? q.v[k] : p.v[k];                           \
      store<W>(out, i, q);                                                                                       \
    }                                                                                                            \
  }
WHERE(b8, u8, 4)
WHERE(b32, u32, 4)
WHERE(b64, u64, 2)

// ---- constants and conversions

KERNEL fill_b64(u64 *out, i64 n, u64 value) {
  FOR_PACKS(i, n, 1) out[i] = value;
}

#define CAST(from, F, to, T, formula)                                          \
  KERNEL cast_##from##_##to(const F *xs, T *out, i64 n) {                      \
    FOR_PACKS(i, n, 2) {                                                       \
      Pack<F, 2> r = load<2>(xs, i);                                        \
      Pack<T, 2> o;                                                            \
      _Pragma("unroll") for (int k = 0; k < 2; k++) {                          \
        F x = r.v[k];                                                          \
        o.v[k] = formula;                                                      \
      }                                                                        \
      store<2>(out, i, o);                                                  \
    }                                                                          \
  }
CAST(f32, float, f64, double, x)
CAST(f32, float, i64, i64, (i64)x)
CAST(f32, float, bool, u8, x != 0)
CAST(f64, double, f32, float, (float)x)
CAST(f64, double, i64, i64, (i64)x)
CAST(f64, double, bool, u8, x != 0)
CAST(i64, i64, f32, float, (float)x)
CAST(i64, i64, f64, double, (double)x)
CAST(i64, i64, bool, u8, x != 0)
CAST(bool, u8, f32, float, (float)x)
CAST(bool, u8, f64, double, (double)x)
CAST(bool, u8, i64, i64, (i64)x)
