// Copies of blocks with strides, and look-ups: a thread has one element of the result, then the one a grid further.
// By the size of an element; what is contiguous is copied 16 bytes at a time, and what is turned in tiles.
#include "common.cuh"

const int MOST_DIMENSIONS = 8;

// The innermost dimension first.
struct Strides {
  i64 size[MOST_DIMENSIONS];
  i64 from[MOST_DIMENSIONS];
  i64 to[MOST_DIMENSIONS];
};

// The place of an element among the strides, in the source and in the result.
__device__ __forceinline__ void place(i64 element, const Strides &s, int dimensions, i64 &from, i64 &to) {
#pragma unroll
  for (int d = 0; d < MOST_DIMENSIONS; d++) {
    if (d >= dimensions) break;
    i64 quotient = d + 1 < dimensions ? element / s.size[d] : 0;
    i64 i = element - quotient * s.size[d];
    element = quotient;
    from += i * s.from[d];
    to += i * s.to[d];
  }
}

#define COPY(type, T)                                                           \
  KERNEL copy_##type(const T *src, T *dst, i64 n, Strides s, int dimensions) {  \
    FOR_PACKS(e, n, 1) {                                                        \
      i64 from = 0;                                                             \
      i64 to = 0;                                                               \
      place(e, s, dimensions, from, to);                                        \
      dst[to] = src[from];                                                      \
    }                                                                           \
  }
COPY(b8, u8)
COPY(b32, u32)
COPY(b64, u64)
COPY(b128, uint4)

// Where the source lies side by side along its columns and the result along its rows: a block takes a square of a matrix
// through shared memory, so that neighbours read and write what lies side by side. `down` is from row to row in the source,
// `right` from column to column in the result; the strides are those from matrix to matrix.
const int SQUARE = 32;
const int STRIPE = 8;

template <typename T>
__device__ __forceinline__ void turn(const T *src, T *dst, i64 rows, i64 columns, i64 down, i64 right,
                                     const Strides &s, int dimensions) {
  __shared__ T square[SQUARE][SQUARE + 1]; // so that the elements of a column are in different banks
  u32 wide = (columns + SQUARE - 1) / SQUARE;
  u32 high = (rows + SQUARE - 1) / SQUARE;
  u32 band = blockIdx.x / wide;
  u32 matrix = band / high;
  i64 row = (i64)(band - matrix * high) * SQUARE;
  i64 column = (i64)(blockIdx.x - band * wide) * SQUARE;
  i64 from = row * down + column;
  i64 to = row + column * right;
  place(matrix, s, dimensions, from, to);
  int x = threadIdx.x;
  T kept[SQUARE / STRIPE] = {}; // all are asked for before the first is waited for
#pragma unroll
  for (int k = 0; k < SQUARE / STRIPE; k++) {
    int y = threadIdx.y + k * STRIPE;
    if (row + y < rows && column + x < columns) kept[k] = src[from + y * down + x];
  }
#pragma unroll
  for (int k = 0; k < SQUARE / STRIPE; k++) square[threadIdx.y + k * STRIPE][x] = kept[k];
  __syncthreads();
#pragma unroll
  for (int k = 0; k < SQUARE / STRIPE; k++) {
    int y = threadIdx.y + k * STRIPE;
    if (column + y < columns && row + x < rows) dst[to + y * right + x] = square[x][y];
  }
}

#define TURN(type, T)                                                                                             \
  KERNEL turn_##type(const T *src, T *dst, i64 rows, i64 columns, i64 down, i64 right, Strides s, int dimensions) { \
    turn(src, dst, rows, columns, down, right, s, dimensions);                                                    \
  }
TURN(b8, u8)
TURN(b32, u32)
TURN(b64, u64)

// out[o, j, i] = x[o, ids[j], i]
#define GATHER(type, T)                                                                                \
  KERNEL gather_##type(const T *x, const i64 *ids, T *out, i64 n, i64 length, i64 count, i64 inner) {  \
    FOR_PACKS(e, n, 1) {                                                                               \
      i64 row = e / inner;                                                                             \
      i64 i = e - row * inner;                                                                         \
      i64 o = row / count;                                                                             \
      out[e] = x[(o * length + ids[row - o * count]) * inner + i];                                     \
    }                                                                                                  \
  }
GATHER(b8, u8)
GATHER(b32, u32)
GATHER(b64, u64)
GATHER(b128, uint4)
