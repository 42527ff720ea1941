// Batched steps by programs that treat each element by itself: an interpreter. A thread has a pack of elements, and for
// every value of the program a place in shared memory; what is in memory is read once and written once.
#include "arithmetic.cuh"
#include "batch.cuh"

// A program: which places are read from memory before, as bits, and which are written to it after; the number of
// instructions; the instructions. Place 0 is the parameter, 1 the gradient, then buffers, then registers.
const int HEAD = 3;

// Of an instruction byte 0 is the operation, 1 the place of the result, 2 to 4 the operands: places, or scalars where
// the uppermost bit is set; byte 5 is the number of operands. The operations' numbers are those of PointwiseOp.
const int IS_SCALAR = 0x80;

template <typename T, int W>
__device__ __forceinline__ Pack<T, W> value(const Pack<T, W> *places, const T *scalars, u64 code, int shift) {
  const int x = (int)(code >> shift) & 0xff;
  if (!(x & IS_SCALAR)) return places[x * blockDim.x];
  Pack<T, W> r;
#pragma unroll
  for (int k = 0; k < W; k++) r.v[k] = scalars[x & ~IS_SCALAR];
  return r;
}

#define EACH(formula)                     \
  _Pragma("unroll") for (int k = 0; k < W; k++) { \
    T a = x.v[k], b = y.v[k], c = z.v[k]; \
    x.v[k] = formula;                     \
  }

// One instruction. The branches go by the bits of its number.
template <typename T, int W>
__device__ __forceinline__ Pack<T, W> result(const Pack<T, W> *places, const T *scalars, u64 code) {
  const int op = (int)code & 0xff;
  const int operands = (int)(code >> 40);
  Pack<T, W> x = value<T, W>(places, scalars, code, 16);
  Pack<T, W> y = x;
  Pack<T, W> z = x;
  if (operands > 1) y = value<T, W>(places, scalars, code, 24);
  if (operands > 2) z = value<T, W>(places, scalars, code, 32);
  if (op & 8) {
    if (op & 4) {
      if (op & 1) {
        EACH(a > 0 ? b : c)
      } else {
        EACH(lerp(a, b, c))
      }
    } else if (op & 2) {
      if (op & 1) {
        EACH(fused(a, b, c))
      } else {
        EACH(smaller(a, b))
      }
    } else if (op & 1) {
      EACH(larger(a, b))
    } else {
      EACH(over(a, b))
    }
  } else if (op & 4) {
    if (op & 2) {
      if (op & 1) {
        EACH(times(a, b))
      } else {
        EACH(minus(a, b))
      }
    } else if (op & 1) {
      EACH(plus(a, b))
    } else {
      EACH(T(a > 0) - T(a < 0))
    }
  } else if (op & 2) {
    if (op & 1) {
      EACH(root(a))
    } else {
      EACH(fabs(a))
    }
  } else if (op & 1) {
    EACH(-a)
  }
  return x;
}

template <typename T>
__device__ __forceinline__ void pointwise(BATCH) {
  const int W = 16 / sizeof(T);
  extern __shared__ __align__(16) char shared[];
  Pack<T, W> *places = reinterpret_cast<Pack<T, W> *>(shared) + threadIdx.x;
  FOR_PIECES(slot, record, from, to) {
    const u64 *program = at_address<const u64>(memory, *reinterpret_cast<const i64 *>(record));
    const T *scalars = reinterpret_cast<const T *>(record + sizeof(i64));
    const u32 loads = (u32)program[0];
    const u32 stores = (u32)program[1];
    const int n = (int)program[2];
    FOR_PACKS_OF_PIECE(i, from, to, W) {
      for (int base = 0; loads >> base; base += 4) {
        Pack<T, W> r[4];
#pragma unroll
        for (int l = 0; l < 4; l++)
          if (loads >> base >> l & 1) r[l] = load<W>(at_address<const T>(memory, slot[1 + base + l]), i);
#pragma unroll
        for (int l = 0; l < 4; l++)
          if (loads >> base >> l & 1) places[(base + l) * blockDim.x] = r[l];
      }
      for (int at = 0; at < n; at++) {
        const u64 code = program[HEAD + at];
        places[((code >> 8) & 0xff) * blockDim.x] = result<T, W>(places, scalars, code);
      }
      for (int l = 0; stores >> l; l++)
        if (stores >> l & 1) store<W>(at_address<T>(memory, slot[1 + l]), i, places[l * blockDim.x]);
    }
  }
}

KERNEL pointwise_f32(BATCH) { pointwise<float>(BATCH_OF); }
KERNEL pointwise_f64(BATCH) { pointwise<double>(BATCH_OF); }
