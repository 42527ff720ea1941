// Sums of powers of absolute values, of many storages in two launches: a block has a part of a storage, then a block
// puts those of a storage together. The order depends on the sizes alone.
#include "batch.cuh"

const int POWERS_PIECE = 16384;

struct Squares {
  static __device__ __forceinline__ double add(double s, double v, double) { return fma(v, v, s); }
};
struct Absolutes {
  static __device__ __forceinline__ double add(double s, double v, double) { return s + fabs(v); }
};
struct Powers {
  static __device__ __forceinline__ double add(double s, double v, double p) { return s + pow(fabs(v), p); }
};
struct Greatest {
  static __device__ __forceinline__ double add(double s, double v, double) { return Max<double>::of(s, fabs(v)); }
};

template <typename Form, typename T>
__device__ __forceinline__ double part(const T *x, i64 from, i64 to, double p) {
  const int W = 16 / sizeof(T);
  double s = 0;
  FOR_PACKS_OF_PIECE(i, from, to, W) {
    Pack<T, W> r = load<W>(x, i);
#pragma unroll
    for (int k = 0; k < W; k++)
      if (i + k < to) s = Form::add(s, r.v[k], p);
  }
  return s;
}

// Of rows: the elements of places that have none do not count.
template <typename Form, typename T>
__device__ __forceinline__ double part_of_rows(const T *x, const i64 *ids, i64 cols, i64 from, i64 to, double p) {
  double s = 0;
  FOR_PACKS_OF_PIECE(i, from, to, 1) {
    if (ids[i / cols] < 0) break;
    s = Form::add(s, x[i], p);
  }
  return s;
}

// A storage: elements, address, whether of type double, ids or 0, elements of a row.
template <typename Form, typename Op>
__device__ __forceinline__ void powers(char *memory, const i64 *storages, const Piece *pieces, i64 count, double *partial, double p) {
  for (i64 at = blockIdx.x; at < count; at += gridDim.x) {
    const i64 *x = storages + (i64)pieces[at].slot * 5;
    const i64 from = (i64)pieces[at].part * POWERS_PIECE;
    const i64 to = min(from + POWERS_PIECE, x[0]);
    double s;
    if (x[3] == 0)
      s = x[2] ? part<Form>(at_address<const double>(memory, x[1]), from, to, p) : part<Form>(at_address<const float>(memory, x[1]), from, to, p);
    else if (x[2])
      s = part_of_rows<Form>(at_address<const double>(memory, x[1]), at_address<const i64>(memory, x[3]), x[4], from, to, p);
    else
      s = part_of_rows<Form>(at_address<const float>(memory, x[1]), at_address<const i64>(memory, x[3]), x[4], from, to, p);
    s = across<Op>(s);
    if (threadIdx.x == 0) partial[at] = s;
  }
}

// first: of each storage the first of its pieces, and their number behind the last.
template <typename Op>
__device__ __forceinline__ void together(const i64 *first, const double *partial, double *out) {
  double s = 0;
  for (i64 k = first[blockIdx.x] + threadIdx.x; k < first[blockIdx.x + 1]; k += blockDim.x) s = Op::of(s, partial[k]);
  s = across<Op>(s);
  if (threadIdx.x == 0) out[blockIdx.x] = s;
}

#define POWERS(name, Form, Op)                                                                                \
  KERNEL name(char *memory, const i64 *storages, const Piece *pieces, i64 count, double *partial, double p) {               \
    powers<Form, Op<double>>(memory, storages, pieces, count, partial, p);                                            \
  }
POWERS(sum_squares, Squares, Sum)
POWERS(sum_absolutes, Absolutes, Sum)
POWERS(sum_powers, Powers, Sum)
POWERS(greatest_absolutes, Greatest, Max)
KERNEL sum_of_parts(const i64 *first, const double *partial, double *out) { together<Sum<double>>(first, partial, out); }
KERNEL greatest_of_parts(const i64 *first, const double *partial, double *out) {
  together<Max<double>>(first, partial, out);
}
