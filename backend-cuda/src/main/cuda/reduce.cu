// Reductions of the middle of [outer, length, inner], in an order that the sizes alone fix. Where there are few results
// and much to reduce, blocks take pieces of the middle and leave partial results, [piece][result], for a second launch.
#include "common.cuh"

template <typename A, typename T>
__device__ __forceinline__ void finish(A a, A *partial, T *out, i64 at, i64 results, int accumulate) {
  if (partial)
    partial[blockIdx.y * results + at] = a;
  else
    out[at] = (T)(accumulate ? (A)out[at] + a : a);
}

// inner is 1: blockDim.x lanes share a row, a block has blockDim.y rows; blockIdx.y is the piece.
template <typename Op, typename A, typename T, typename U>
__device__ __forceinline__ void rows(const T *x, A *partial, U *out, i64 results, i64 length, i64 piece,
                                     int accumulate) {
  i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y;
  i64 from = blockIdx.y * piece;
  i64 to = from + piece < length ? from + piece : length;
  A a = Op::none();
  if (row < results)
    for (i64 j = from + threadIdx.x; j < to; j += blockDim.x) a = Op::of(a, (A)x[row * length + j]);
  a = across<Op>(a);
  if (row < results && threadIdx.x == 0) finish(a, partial, out, row, results, accumulate);
}

// inner is more: 32 threads have 32 results side by side, 8 of these rows of threads share the middle.
const int SHARE = 8;

template <typename Op, typename A, typename T, typename U>
__device__ __forceinline__ void columns(const T *x, A *partial, U *out, i64 results, i64 length, i64 inner, i64 piece,
                                        int accumulate) {
  __shared__ A shares[SHARE][32];
  i64 at = (i64)blockIdx.x * 32 + threadIdx.x;
  i64 from = blockIdx.y * piece;
  i64 to = from + piece < length ? from + piece : length;
  A a = Op::none();
  if (at < results) {
    i64 o = at / inner;
    const T *column = x + o * length * inner + (at - o * inner);
    for (i64 j = from + threadIdx.y; j < to; j += SHARE) a = Op::of(a, (A)column[j * inner]);
  }
  shares[threadIdx.y][threadIdx.x] = a;
  __syncthreads();
  if (threadIdx.y != 0 || at >= results) return;
  for (int s = 1; s < SHARE; s++) a = Op::of(a, shares[s][threadIdx.x]);
  finish(a, partial, out, at, results, accumulate);
}

#define REDUCE(name, Op, from, A, T, U)                                                                          \
  KERNEL name##_rows_##from(const T *x, A *partial, U *out, i64 results, i64 length, i64 inner, i64 piece,       \
                            int accumulate) {                                                                    \
    rows<Op<A>>(x, partial, out, results, length, piece, accumulate);                                            \
  }                                                                                                              \
  KERNEL name##_columns_##from(const T *x, A *partial, U *out, i64 results, i64 length, i64 inner, i64 piece,    \
                               int accumulate) {                                                                 \
    columns<Op<A>>(x, partial, out, results, length, inner, piece, accumulate);                                  \
  }

REDUCE(sum, Sum, f32, double, float, float)
REDUCE(sum, Sum, f64, double, double, double)
REDUCE(sum, Sum, i64, i64, i64, i64)
REDUCE(max, Max, f32, float, float, float)
REDUCE(max, Max, f64, double, double, double)
REDUCE(max, Max, i64, i64, i64, i64)
REDUCE(min, Min, f32, float, float, float)
REDUCE(min, Min, f64, double, double, double)
REDUCE(min, Min, i64, i64, i64, i64)
// The second launch of a float sum.
REDUCE(sum, Sum, f64_f32, double, double, float)

// ---- the place of an extreme: a warp has a result, a block blockDim.y of them

template <typename T>
__device__ __forceinline__ bool better(bool greatest, T a, T b) {
  if (a != a) return b == b;
  return greatest ? a > b : a < b;
}

#define ARG(type, T)                                                                              \
  KERNEL arg_##type(const T *x, i64 *out, i64 results, i64 length, i64 inner, int greatest) {     \
    i64 at = (i64)blockIdx.x * blockDim.y + threadIdx.y;                                          \
    if (at >= results) return; /* a whole warp */                                                 \
    i64 o = at / inner;                                                                           \
    const T *column = x + o * length * inner + (at - o * inner);                                  \
    i64 best = threadIdx.x < length ? threadIdx.x : 0;                                            \
    T value = column[best * inner];                                                               \
    for (i64 j = best + 32; j < length; j += 32) {                                                \
      T v = column[j * inner];                                                                    \
      if (better(greatest != 0, v, value)) {                                                      \
        value = v;                                                                                \
        best = j;                                                                                 \
      }                                                                                           \
    }                                                                                             \
    _Pragma("unroll 1") for (int d = 16; d > 0; d >>= 1) {                                        \
      T v = __shfl_xor_sync(~0u, value, d);                                                       \
      i64 j = __shfl_xor_sync(~0u, best, d);                                                      \
      bool equal = !better(greatest != 0, v, value) && !better(greatest != 0, value, v);          \
      if (equal ? j < best : better(greatest != 0, v, value)) {                                   \
        value = v;                                                                                \
        best = j;                                                                                 \
      }                                                                                           \
    }                                                                                             \
    if (threadIdx.x == 0) out[at] = best;                                                         \
  }
ARG(f32, float)
ARG(f64, double)
ARG(i64, i64)
