// Batched SGD, with momentum or without (Sutskever et al. 2013): each operation rounds as the formulas of SgdPlan say.
#include "arithmetic.cuh"
#include "batch.cuh"

// The numbers of a step, each computed in double and rounded once.
template <typename T>
struct SgdNumbers {
  T decay;
  T momentum;
  T rest;  // 1 - dampening
  T step;  // with its sign
  T flags;
};

const int TURNS = 1;
const int DECAYS = 2;
const int LOOKS_AHEAD = 4;
const int BEGINS = 8;

// A slot: elements, parameter, gradient, momentum or 0.
template <typename T>
__device__ __forceinline__ void sgd(BATCH) {
  const int W = 16 / sizeof(T);
  FOR_PIECES(slot, record, from, to) {
    const SgdNumbers<T> h = *reinterpret_cast<const SgdNumbers<T> *>(record);
    T *theta = at_address<T>(memory, slot[1]);
    const T *grad = at_address<const T>(memory, slot[2]);
    T *momentum = at_address<T>(memory, slot[3]);
    const bool moves = slot[3] != 0;
    const int flags = (int)h.flags;
    const T sign = flags & TURNS ? T(-1) : T(1);
    FOR_PACKS_OF_PIECE(i, from, to, W) {
      Pack<T, W> p = load<W>(theta, i);
      Pack<T, W> g = load<W>(grad, i);
#pragma unroll
      for (int k = 0; k < W; k++) {
        g.v[k] = times(g.v[k], sign);
        if (flags & DECAYS) g.v[k] = fused(h.decay, p.v[k], g.v[k]);
      }
      if (moves) {
        Pack<T, W> b = g;
        if (!(flags & BEGINS)) {
          b = load<W>(momentum, i);
#pragma unroll
          for (int k = 0; k < W; k++) b.v[k] = fused(h.rest, g.v[k], times(b.v[k], h.momentum));
        }
        store<W>(momentum, i, b);
#pragma unroll
        for (int k = 0; k < W; k++) g.v[k] = flags & LOOKS_AHEAD ? fused(h.momentum, b.v[k], g.v[k]) : b.v[k];
      }
#pragma unroll
      for (int k = 0; k < W; k++) p.v[k] = fused(h.step, g.v[k], p.v[k]);
      store<W>(theta, i, p);
    }
  }
}

KERNEL sgd_f32(BATCH) { sgd<float>(BATCH_OF); }
KERNEL sgd_f64(BATCH) { sgd<double>(BATCH_OF); }

// ---- only the rows that have a gradient

// A slot: elements of all places, parameter, gradient's rows, ids, elements of a row.
template <typename T, int W>
__device__ __forceinline__ void sgd_rows(char *memory, const i64 *slot, T step, i64 from, i64 to) {
  T *theta = at_address<T>(memory, slot[1]);
  const T *grad = at_address<const T>(memory, slot[2]);
  const i64 *ids = at_address<const i64>(memory, slot[3]);
  const i64 cols = slot[4];
  FOR_PACKS_OF_PIECE(i, from, to, W) {
    const i64 place = i / cols;
    const i64 id = ids[place];
    if (id < 0) break;
    const i64 at = id * cols + (i - place * cols);
    Pack<T, W> p = load<W>(theta, at);
    Pack<T, W> g = load<W>(grad, i);
#pragma unroll
    for (int k = 0; k < W; k++) p.v[k] = fused(step, g.v[k], p.v[k]);
    store<W>(theta, at, p);
  }
}

#define SGD_ROWS(type, T)                                                       \
  KERNEL sgd_rows_##type(BATCH) {                                               \
    FOR_PIECES(slot, record, from, to) {                                        \
      const T step = reinterpret_cast<const SgdNumbers<T> *>(record)->step;     \
      if (slot[4] % (16 / sizeof(T)) == 0)                                      \
        sgd_rows<T, 16 / sizeof(T)>(memory, slot, step, from, to);                      \
      else                                                                      \
        sgd_rows<T, 1>(memory, slot, step, from, to);                                   \
    }                                                                           \
  }
SGD_ROWS(f32, float)
SGD_ROWS(f64, double)
