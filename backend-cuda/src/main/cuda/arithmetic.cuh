// Arithmetic of which every operation rounds once and for itself, in both floating types by one name: what is written
// with it has the same bits everywhere.
#pragma once

template <typename T>
__device__ __forceinline__ T larger(T x, T y) {
  return x > y || x != x ? x : y;
}
template <typename T>
__device__ __forceinline__ T smaller(T x, T y) {
  return x < y || x != x ? x : y;
}

__device__ __forceinline__ float fused(float x, float y, float z) { return __fmaf_rn(x, y, z); }
__device__ __forceinline__ double fused(double x, double y, double z) { return __fma_rn(x, y, z); }
__device__ __forceinline__ float times(float x, float y) { return __fmul_rn(x, y); }
__device__ __forceinline__ double times(double x, double y) { return __dmul_rn(x, y); }
__device__ __forceinline__ float plus(float x, float y) { return __fadd_rn(x, y); }
__device__ __forceinline__ double plus(double x, double y) { return __dadd_rn(x, y); }

__device__ __forceinline__ float minus(float x, float y) { return __fsub_rn(x, y); }
__device__ __forceinline__ double minus(double x, double y) { return __dsub_rn(x, y); }
__device__ __forceinline__ float over(float x, float y) { return __fdiv_rn(x, y); }
__device__ __forceinline__ double over(double x, double y) { return __ddiv_rn(x, y); }
__device__ __forceinline__ float root(float x) { return __fsqrt_rn(x); }
__device__ __forceinline__ double root(double x) { return __dsqrt_rn(x); }

// From x to y by a: from the end that is nearer.
template <typename T>
__device__ __forceinline__ T lerp(T x, T y, T a) {
  T d = minus(y, x);
  return fabs(a) < T(0.5) ? fused(a, d, x) : fused(-d, minus(T(1), a), y);
}
