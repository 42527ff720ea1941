// Sums of rows by their ids, in the order in which the rows lie; at the end of the file in any. Keys (id, place) are sorted; all are different, so
// their order is one alone. Then each run of an id is summed by the threads that find its begin.
#include "common.cuh"

// Behind every key.
const u64 NO_KEY = ~0ull;

// Keys of the ids; places at and behind count, and those of skipped ids, have none.
KERNEL sort_keys(const i64 *ids, u64 *keys, i64 count, i64 padded, i64 skip, int bits) {
  FOR_PACKS(j, padded, 1) {
    i64 id = j < count ? ids[j] : skip;
    keys[j] = j >= count || id == skip ? NO_KEY : (u64)id << bits | (u64)j;
  }
}

// ---- bitonic sorting of a power of two of keys: a block sorts `span` of them in shared memory, a thread swaps two

const int MOST_SORTED = 2048;

__device__ __forceinline__ void order(u64 &a, u64 &b, bool up) {
  if ((a > b) == up) {
    u64 t = a;
    a = b;
    b = t;
  }
}

// The steps of the distances from `from` to 1, for runs of `width` keys.
__device__ __forceinline__ void steps(u64 *part, int span, i64 base, i64 width, int from) {
  for (int distance = from; distance > 0; distance >>= 1) {
    __syncthreads();
    for (int t = threadIdx.x; t < span / 2; t += blockDim.x) {
      int a = 2 * t - (t & (distance - 1));
      order(part[a], part[a + distance], ((base + a) & width) == 0);
    }
  }
}

// width is span: sorts each span from nothing. Else: ends the runs of `width`, whose far steps are done.
KERNEL sort_near(u64 *keys, i64 width, int span) {
  __shared__ u64 part[MOST_SORTED];
  i64 base = (i64)blockIdx.x * span;
  for (int t = threadIdx.x; t < span; t += blockDim.x) part[t] = keys[base + t];
  for (i64 w = width == span ? 2 : width; w <= width; w <<= 1) steps(part, span, base, w, w < span ? w / 2 : span / 2);
  __syncthreads();
  for (int t = threadIdx.x; t < span; t += blockDim.x) keys[base + t] = part[t];
}

// One step of a distance of at least a span.
KERNEL sort_far(u64 *keys, i64 pairs, i64 width, i64 distance) {
  FOR_PACKS(t, pairs, 1) {
    i64 a = 2 * t - (t & (distance - 1));
    u64 x = keys[a];
    u64 y = keys[a + distance];
    order(x, y, (a & width) == 0);
    keys[a] = x;
    keys[a + distance] = y;
  }
}

// ---- out[o, id, i] += the rows x[o, j, i] of the id, in the order of j

// blockDim.y runs a block; 32 threads have the elements of a row, blockIdx.y those 32 gridDim.y further on.
#define SCATTER(type, T)                                                                                        \
  KERNEL scatter_##type(const T *x, const u64 *keys, T *out, i64 count, i64 outer, i64 length, i64 inner,       \
                        int bits) {                                                                             \
    i64 first = (i64)blockIdx.x * blockDim.y + threadIdx.y;                                                     \
    if (first >= count || keys[first] == NO_KEY) return;                                                        \
    u64 id = keys[first] >> bits;                                                                               \
    if (first > 0 && keys[first - 1] >> bits == id) return;                                                     \
    i64 mask = ((i64)1 << bits) - 1;                                                                            \
    for (i64 e = blockIdx.y * 32 + threadIdx.x; e < outer * inner; e += gridDim.y * 32) {                       \
      i64 o = e / inner;                                                                                        \
      i64 i = e - o * inner;                                                                                    \
      T *to = out + (o * length + (i64)id) * inner + i;                                                         \
      const T *rows = x + o * count * inner + i;                                                                \
      T sum = *to;                                                                                              \
      for (i64 k = first; k < count; k++) {                                                                     \
        u64 key = keys[k];                                                                                      \
        if (key == NO_KEY || key >> bits != id) break;                                                          \
        sum += rows[(i64)(key & mask) * inner];                                                                 \
      }                                                                                                         \
      *to = sum;                                                                                                \
    }                                                                                                           \
  }
SCATTER(f32, float)
SCATTER(f64, double)
SCATTER(i64, i64)

// ---- the same by atomic operations: no sorting, and an order that is another one each time

#define SCATTER_ATOMIC(type, T)                                                                                 \
  KERNEL scatter_atomic_##type(const T *x, const i64 *ids, T *out, i64 count, i64 length, i64 inner, i64 skip,  \
                               i64 n) {                                                                         \
    FOR_PACKS(e, n, 1) {                                                                                        \
      i64 row = e / inner;                                                                                      \
      i64 o = row / count;                                                                                      \
      i64 id = ids[row - o * count];                                                                            \
      if (id != skip) atomicAdd(out + (o * length + id) * inner + (e - row * inner), x[e]);                     \
    }                                                                                                           \
  }
SCATTER_ATOMIC(f32, float)
SCATTER_ATOMIC(f64, double)
