// Batched Adam, AdamW and AMSGrad (arXiv:1412.6980, arXiv:1711.05101, Reddi et al. 2018): each operation rounds as the
// formulas of AdamPlan say.
#include "arithmetic.cuh"
#include "batch.cuh"

// The numbers of a step, each computed in double and rounded once.
template <typename T>
struct alignas(16) AdamNumbers {
  T decay;  // a factor of the parameter, or with ADDS_DECAY what is added to the gradient of the parameter
  T w;      // 1 - beta1
  T beta2;
  T c;      // 1 - beta2
  T root;   // of the second bias correction
  T eps;
  T step;   // with its sign
  T flags;
};

const int MAXIMIZES = 1;
const int ADDS_DECAY = 2;

// A slot: elements, parameter, gradient, mean, mean square, greatest mean square or 0.
template <typename T>
__device__ __forceinline__ void adam(BATCH) {
  const int W = sizeof(T) == 4 ? 4 : 1;
  FOR_PIECES(slot, record, from, to) {
    const AdamNumbers<T> h = *reinterpret_cast<const AdamNumbers<T> *>(record);
    T *theta = at_address<T>(memory, slot[1]);
    const T *grad = at_address<const T>(memory, slot[2]);
    T *mean = at_address<T>(memory, slot[3]);
    T *square = at_address<T>(memory, slot[4]);
    T *greatest = at_address<T>(memory, slot[5]);
    const bool bounded = slot[5] != 0;
    const T sign = (int)h.flags & MAXIMIZES ? T(-1) : T(1);
    const bool adds = (int)h.flags & ADDS_DECAY;
    FOR_PACKS_OF_PIECE(i, from, to, W) {
      Pack<T, W> p = load<W>(theta, i);
      Pack<T, W> g = load<W>(grad, i);
      Pack<T, W> m = load<W>(mean, i);
      Pack<T, W> v = load<W>(square, i);
#pragma unroll
      for (int k = 0; k < W; k++) {
        g.v[k] = times(g.v[k], sign);
        if (adds)
          g.v[k] = fused(h.decay, p.v[k], g.v[k]);
        else
          p.v[k] = times(p.v[k], h.decay);
        m.v[k] = lerp(m.v[k], g.v[k], h.w);
        v.v[k] = fused(times(h.c, g.v[k]), g.v[k], times(v.v[k], h.beta2));
      }
      store<W>(mean, i, m);
      store<W>(square, i, v);
      if (bounded) {
        Pack<T, W> most = load<W>(greatest, i);
#pragma unroll
        for (int k = 0; k < W; k++) v.v[k] = larger(most.v[k], v.v[k]);
        store<W>(greatest, i, v);
      }
#pragma unroll
      for (int k = 0; k < W; k++)
        p.v[k] = plus(p.v[k], over(times(h.step, m.v[k]), plus(over(root(v.v[k]), h.root), h.eps)));
      store<W>(theta, i, p);
    }
  }
}

KERNEL adam_f32(BATCH) { adam<float>(BATCH_OF); }
KERNEL adam_f64(BATCH) { adam<double>(BATCH_OF); }

// ---- the lazy rule: only the rows that have a gradient change

// A slot: elements of all places, parameter, gradient's rows, mean, mean square, ids, elements of a row.
template <typename T, int W>
__device__ __forceinline__ void adam_rows(char *memory, const i64 *slot, const AdamNumbers<T> &h, i64 from, i64 to) {
  T *theta = at_address<T>(memory, slot[1]);
  const T *grad = at_address<const T>(memory, slot[2]);
  T *mean = at_address<T>(memory, slot[3]);
  T *square = at_address<T>(memory, slot[4]);
  const i64 *ids = at_address<const i64>(memory, slot[5]);
  const i64 cols = slot[6];
  const T sign = (int)h.flags & MAXIMIZES ? T(-1) : T(1);
  FOR_PACKS_OF_PIECE(i, from, to, W) {
    const i64 place = i / cols;
    const i64 id = ids[place];
    if (id < 0) break;
    const i64 at = id * cols + (i - place * cols);
    Pack<T, W> p = load<W>(theta, at);
    Pack<T, W> g = load<W>(grad, i);
    Pack<T, W> m = load<W>(mean, at);
    Pack<T, W> v = load<W>(square, at);
#pragma unroll
    for (int k = 0; k < W; k++) {
      T x = times(g.v[k], sign);
      m.v[k] = plus(m.v[k], times(minus(x, m.v[k]), h.w));
      v.v[k] = plus(v.v[k], times(minus(times(x, x), v.v[k]), h.c));
      p.v[k] = plus(p.v[k], times(h.step, over(m.v[k], plus(root(v.v[k]), h.eps))));
    }
    store<W>(mean, at, m);
    store<W>(square, at, v);
    store<W>(theta, at, p);
  }
}

#define ADAM_ROWS(type, T)                                                                 \
  KERNEL adam_rows_##type(BATCH) {                                                         \
    FOR_PIECES(slot, record, from, to) {                                                   \
      const AdamNumbers<T> h = *reinterpret_cast<const AdamNumbers<T> *>(record);          \
      if (slot[6] % (16 / sizeof(T)) == 0)                                                 \
        adam_rows<T, 16 / sizeof(T)>(memory, slot, h, from, to);                                   \
      else                                                                                 \
        adam_rows<T, 1>(memory, slot, h, from, to);                                                \
    }                                                                                      \
  }
ADAM_ROWS(f32, float)
ADAM_ROWS(f64, double)
