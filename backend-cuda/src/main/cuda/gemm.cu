// Matrix products, for a machine without cuBLAS: a block computes TILE x TILE of C from tiles in shared memory, each
// of its 16 x 16 threads a square of EACH x EACH. The terms of an element are added in the order of k.
#include "common.cuh"

const int TILE = 64;
const int DEPTH = 16;
const int SIDE = 16;
const int EACH = TILE / SIDE;

// A(i, j) lies at a + i aRow + j aCol, and so does B; blockIdx.y is the first of the products.
template <typename T>
__device__ __forceinline__ void product(const T *aAll, const T *bAll, T *cAll, i64 m, i64 n, i64 k, i64 batch,
                                        i64 strideA, i64 strideB, i64 aRow, i64 aCol, i64 bRow, i64 bCol,
                                        int accumulate) {
  __shared__ T as[DEPTH][TILE + 1];
  __shared__ T bs[DEPTH][TILE + 1];
  i64 tilesN = (n + TILE - 1) / TILE;
  i64 row0 = blockIdx.x / tilesN * TILE;
  i64 col0 = blockIdx.x % tilesN * TILE;
  int t = threadIdx.x;
  int ty = t / SIDE;
  int tx = t % SIDE;
  for (i64 p = blockIdx.y; p < batch; p += gridDim.y) {
    const T *a = aAll + p * strideA;
    const T *b = bAll + p * strideB;
    T sum[EACH][EACH] = {};
    for (i64 k0 = 0; k0 < k; k0 += DEPTH) {
#pragma unroll
      for (int e = t; e < TILE * DEPTH; e += SIDE * SIDE) {
        // Neighbouring threads read neighbouring elements, whichever way the matrix lies.
        int i = aCol == 1 ? e / DEPTH : e % TILE;
        int d = aCol == 1 ? e % DEPTH : e / TILE;
        as[d][i] = row0 + i < m && k0 + d < k ? a[(row0 + i) * aRow + (k0 + d) * aCol] : T(0);
        int j = bCol == 1 ? e % TILE : e / DEPTH;
        int f = bCol == 1 ? e / TILE : e % DEPTH;
        bs[f][j] = col0 + j < n && k0 + f < k ? b[(k0 + f) * bRow + (col0 + j) * bCol] : T(0);
      }
      __syncthreads();
#pragma unroll 4
      for (int d = 0; d < DEPTH; d++) {
        T x[EACH], y[EACH];
#pragma unroll
        for (int e = 0; e < EACH; e++) {
          x[e] = as[d][ty + e * SIDE];
          y[e] = bs[d][tx + e * SIDE];
        }
#pragma unroll
        for (int i = 0; i < EACH; i++)
#pragma unroll
          for (int j = 0; j < EACH; j++) sum[i][j] += x[i] * y[j];
      }
      __syncthreads();
    }
    T *c = cAll + p * m * n;
#pragma unroll
    for (int i = 0; i < EACH; i++)
#pragma unroll
      for (int j = 0; j < EACH; j++) {
        i64 row = row0 + ty + i * SIDE;
        i64 col = col0 + tx + j * SIDE;
        if (row < m && col < n) c[row * n + col] = accumulate ? c[row * n + col] + sum[i][j] : sum[i][j];
      }
  }
}

#define GEMM(type, T)                                                                                              \
  KERNEL gemm_##type(const T *a, const T *b, T *c, i64 m, i64 n, i64 k, i64 batch, i64 strideA, i64 strideB,       \
                     i64 aRow, i64 aCol, i64 bRow, i64 bCol, int accumulate) {                                     \
    product(a, b, c, m, n, k, batch, strideA, strideB, aRow, aCol, bRow, bCol, accumulate);                        \
  }
GEMM(f32, float)
GEMM(f64, double)
