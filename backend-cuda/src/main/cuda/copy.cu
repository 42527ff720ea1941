// Copies of blocks with strides, and look-ups: a thread has one element of the result, then the one a grid further.
// By the size of an element; what is contiguous is copied 16 bytes at a time.
#include "common.cuh"

const int MOST_DIMENSIONS = 8;

// The innermost dimension first.
struct Strides {
  i64 size[MOST_DIMENSIONS];
  i64 from[MOST_DIMENSIONS];
  i64 to[MOST_DIMENSIONS];
};

#define COPY(type, T)                                                                       \
  KERNEL copy_##type(const T *src, T *dst, i64 n, Strides s, int dimensions) {              \
    FOR_PACKS(e, n, 1) {                                                                    \
      i64 rest = e;                                                                         \
      i64 from = 0;                                                                         \
      i64 to = 0;                                                                           \
      _Pragma("unroll") for (int d = 0; d < MOST_DIMENSIONS; d++) {                         \
        if (d >= dimensions) break;                                                         \
        i64 quotient = d + 1 < dimensions ? rest / s.size[d] : 0;                           \
        i64 i = rest - quotient * s.size[d];                                                \
        rest = quotient;                                                                    \
        from += i * s.from[d];                                                              \
        to += i * s.to[d];                                                                  \
      }                                                                                     \
      dst[to] = src[from];                                                                  \
    }                                                                                       \
  }
COPY(b8, u8)
COPY(b32, u32)
COPY(b64, u64)
COPY(b128, uint4)

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
