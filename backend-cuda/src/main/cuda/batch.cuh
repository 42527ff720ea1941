// Batched steps: one launch updates the elements of many slots (a slot is a parameter and what belongs to it). Tables
// say how; they lie at fixed addresses, and only that of the step's numbers changes from step to step.
#pragma once
#include "common.cuh"

// A part of a slot: its elements from part PIECE on, PIECE of them or up to the last.
struct Piece {
  int slot;
  int part;
};

const int PIECE = 4096;

// slots: rows of `width` words: the number of elements, then what the family says.
// stepOfSlot: which of the records of numbers a slot takes, or -1 where it takes no part.
// records: the numbers, `stride` bytes apart.
// memory: address 0, from which the addresses in tables count. So the compiler knows where they point.
#define BATCH                                                                                                     \
  char *memory, const i64 *slots, int width, const Piece *pieces, i64 count, const int *stepOfSlot, const char *records, \
      int stride
#define BATCH_OF memory, slots, width, pieces, count, stepOfSlot, records, stride

template <typename T>
__device__ __forceinline__ T *at_address(char *memory, i64 address) {
  return reinterpret_cast<T *>(memory + address);
}

// The pieces of this block that take part: `slot` is the row of the piece's slot, `record` where its numbers are, and
// [from, to) are its elements.
#define FOR_PIECES(slot, record, from, to)                                                        \
  _Pragma("unroll 1") for (i64 at = blockIdx.x; at < count; at += gridDim.x)                      \
    if (const int step = stepOfSlot[pieces[at].slot]; step >= 0)                                  \
      if (const i64 *slot = slots + (i64)pieces[at].slot * width; true)                           \
        if (const char *record = records + (i64)step * stride; true)                              \
          if (const i64 from = (i64)pieces[at].part * PIECE, to = min(from + PIECE, slot[0]); true)

// The packs of a piece, thread by thread.
#define FOR_PACKS_OF_PIECE(i, from, to, W) \
  _Pragma("unroll 1") for (i64 i = from + threadIdx.x * (W); i < to; i += blockDim.x * (W))
