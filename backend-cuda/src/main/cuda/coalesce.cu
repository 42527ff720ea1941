// Rows summed by their ids: each id gets a place, in the order in which ids first appear. The ids are those that the
// result has already, then the new ones; they are sorted as for a scatter, and the first of each run of equal ids
// knows where the id first appears.
#include "common.cuh"

// The new ids behind those that the result has, without those that are skipped.
KERNEL coalesce_ids(const i64 *had, i64 places, const i64 *ids, i64 count, i64 skip, i64 *all) {
  FOR_PACKS(j, places + count, 1) {
    i64 id = j < places ? had[j] : ids[j - places];
    all[j] = j >= places && id == skip ? -1 : id;
  }
}

// first[j]: 1 + the key at which the run begins whose id first appears as the j-th; 0 if it appears before.
KERNEL coalesce_first(const u64 *keys, i64 count, int bits, i64 *first) {
  FOR_PACKS(k, count, 1) {
    u64 key = keys[k];
    if (key != ~0ull && (k == 0 || keys[k - 1] >> bits != key >> bits))
      first[(i64)(key & (((u64)1 << bits) - 1))] = k + 1;
  }
}

// One block: run[r] is where the run of place r begins, out[r] its id; behind them -1. Where an id first appears,
// first[j] becomes its place.
KERNEL coalesce_places(const i64 *all, i64 *first, i64 count, i64 *out, i64 *run, i64 places) {
  __shared__ i64 warps[MOST_WARPS];
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x >> 5;
  i64 used = 0;
  for (i64 base = 0; base < count; base += blockDim.x) {
    const i64 j = base + threadIdx.x;
    const i64 at = j < count ? first[j] : 0;
    const u32 those = __ballot_sync(~0u, at != 0);
    if (lane == 0) warps[warp] = __popc(those);
    __syncthreads();
    i64 before = used + __popc(those & ((1u << lane) - 1));
    for (int w = 0; w < blockDim.x >> 5; w++) {
      if (w < warp) before += warps[w];
      used += warps[w];
    }
    if (at != 0) {
      out[before] = all[j];
      run[before] = at - 1;
      first[j] = before;
    }
    __syncthreads();
  }
  for (i64 r = used + threadIdx.x; r < places; r += blockDim.x) {
    out[r] = -1;
    run[r] = -1;
  }
}

// out[r] = the sum of the rows of place r in their order, beginning with what is there if it was there before.
// blockDim.y places; 32 threads have the elements of a row, blockIdx.y those 32 gridDim.y further on.
#define COALESCE(type, T)                                                                                       \
  KERNEL coalesce_##type(const u64 *keys, const i64 *run, i64 count, int bits, const T *x, i64 had, T *out,     \
                         i64 places, i64 cols) {                                                                \
    i64 r = (i64)blockIdx.x * blockDim.y + threadIdx.y;                                                         \
    if (r >= places || run[r] < 0) return;                                                                      \
    const i64 mask = ((i64)1 << bits) - 1;                                                                      \
    const u64 id = keys[run[r]] >> bits;                                                                        \
    for (i64 e = blockIdx.y * 32 + threadIdx.x; e < cols; e += gridDim.y * 32) {                                \
      T sum = 0;                                                                                                \
      for (i64 k = run[r]; k < count && keys[k] != ~0ull && keys[k] >> bits == id; k++) {                       \
        i64 j = (i64)(keys[k] & mask);                                                                          \
        T term = j < had ? out[r * cols + e] : x[(j - had) * cols + e];                                         \
        sum = k == run[r] ? term : sum + term;                                                                  \
      }                                                                                                         \
      out[r * cols + e] = sum;                                                                                  \
    }                                                                                                           \
  }
COALESCE(f32, float)
COALESCE(f64, double)

// ---- the same by atomic operations: every term by itself, in an order that is another one each time

#define COALESCE_ATOMIC(type, T)                                                                                \
  /* Zeros at the places that are new. */                                                                       \
  KERNEL coalesce_zeros_##type(const u64 *keys, const i64 *run, int bits, i64 had, T *out, i64 places,          \
                               i64 cols) {                                                                      \
    const i64 mask = ((i64)1 << bits) - 1;                                                                      \
    FOR_PACKS(e, places * cols, 1) {                                                                            \
      i64 begin = run[e / cols];                                                                                \
      if (begin >= 0 && (i64)(keys[begin] & mask) >= had) out[e] = 0;                                           \
    }                                                                                                           \
  }                                                                                                             \
  /* Adds the rows of all keys; place[j] is that of the id that first appears as the j-th. */                   \
  KERNEL coalesce_atomic_##type(const u64 *keys, const i64 *place, i64 count, int bits, const T *x, i64 had,    \
                                T *out, i64 cols) {                                                             \
    const i64 mask = ((i64)1 << bits) - 1;                                                                      \
    FOR_PACKS(e, count * cols, 1) {                                                                             \
      i64 k = e / cols;                                                                                         \
      u64 key = keys[k];                                                                                        \
      i64 j = (i64)(key & mask);                                                                                \
      if (key == ~0ull || j < had) continue;                                                                    \
      i64 low = 0;                                                                                              \
      for (i64 high = k; low < high;) {                                                                         \
        i64 middle = (low + high) / 2;                                                                          \
        if (keys[middle] >> bits < key >> bits)                                                                 \
          low = middle + 1;                                                                                     \
        else                                                                                                    \
          high = middle;                                                                                        \
      }                                                                                                         \
      i64 c = e - k * cols;                                                                                     \
      atomicAdd(out + place[keys[low] & mask] * cols + c, x[(j - had) * cols + c]);                             \
    }                                                                                                           \
  }
COALESCE_ATOMIC(f32, float)
COALESCE_ATOMIC(f64, double)
