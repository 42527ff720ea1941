// What all kernels share: short names, packs of elements, and reductions over the lanes of a row.
// A storage begins at a multiple of 256 bytes, and its memory at least at a multiple of 64 ends: a pack may reach over
// the last element. Indices have 64 bits.
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define KERNEL extern "C" __global__ void

// ---- elements, W at a time

template <typename T, int W>
struct alignas(sizeof(T) * W) Pack {
  T v[W];
};

// The elements from i on. Those behind the last one are in the padding: they are whatever they are.
template <int W, typename T>
__device__ __forceinline__ Pack<T, W> load(const T *p, i64 i) {
  return *reinterpret_cast<const Pack<T, W> *>(p + i);
}

template <int W, typename T>
__device__ __forceinline__ void store(T *p, i64 i, const Pack<T, W> &r) {
  *reinterpret_cast<Pack<T, W> *>(p + i) = r;
}

// Thread t has the packs t, t + all threads, ...: neighbours read what lies side by side.
#define FOR_PACKS(i, n, W)                                                           \
  _Pragma("unroll 1") for (i64 i = ((i64)blockIdx.x * blockDim.x + threadIdx.x) * (W); \
                           i < (n); i += (i64)gridDim.x * blockDim.x * (W))

// ---- reductions over the blockDim.x lanes that share a row; a block has blockDim.y rows

const int MOST_WARPS = 32;

template <typename A>
struct Sum {
  static __device__ __forceinline__ A none() { return A(0); }
  static __device__ __forceinline__ A of(A a, A b) { return a + b; }
};

template <typename A>
struct Max;
template <typename A>
struct Min;

// NaN before all.
#define EXTREME(Op, A, NONE, before)                                       \
  template <>                                                              \
  struct Op<A> {                                                           \
    static __device__ __forceinline__ A none() { return NONE; }            \
    static __device__ __forceinline__ A of(A a, A b) {                     \
      return a before b || a != a ? a : b;                                 \
    }                                                                      \
  };
EXTREME(Max, float, -__int_as_float(0x7f800000), >)
EXTREME(Min, float, __int_as_float(0x7f800000), <)
EXTREME(Max, double, -__longlong_as_double(0x7ff0000000000000), >)
EXTREME(Min, double, __longlong_as_double(0x7ff0000000000000), <)
EXTREME(Max, i64, (i64)(1ull << 63), >)
EXTREME(Min, i64, (i64)(~0ull >> 1), <)

// What all lanes of the row have, in every lane, always in the same order. blockDim.x is a multiple of 32; where it is
// more, the block has one row. All threads of a block call it.
template <typename Op, typename A>
__device__ __forceinline__ A across(A a) {
#pragma unroll
  for (int d = 16; d > 0; d >>= 1) a = Op::of(a, __shfl_xor_sync(~0u, a, d));
  if (blockDim.x == 32) return a;
  __shared__ A warps[MOST_WARPS];
  __syncthreads();
  if ((threadIdx.x & 31) == 0) warps[threadIdx.x >> 5] = a;
  __syncthreads();
  a = warps[0];
  for (int w = 1; w < blockDim.x >> 5; w++) a = Op::of(a, warps[w]);
  return a;
}
