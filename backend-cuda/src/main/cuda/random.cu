// Dropout by Philox4x32-10 (Salmon et al., SC11): a thread has the four elements that one counter decides.
#include "common.cuh"

__device__ __forceinline__ void philox(u64 counter, u64 seed, u32 words[4]) {
  u32 c0 = (u32)counter, c1 = (u32)(counter >> 32), c2 = 0, c3 = 0;
  u32 k0 = (u32)seed, k1 = (u32)(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; round++) {
    u64 p0 = (u64)0xD2511F53u * c0;
    u64 p1 = (u64)0xCD9E8D57u * c2;
    c0 = (u32)(p1 >> 32) ^ c1 ^ k0;
    c1 = (u32)p1;
    c2 = (u32)(p0 >> 32) ^ c3 ^ k1;
    c3 = (u32)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

#define DROPOUT(type, T)                                                                                   \
  KERNEL dropout_##type(const T *x, T *out, i64 n, u64 seed, u64 offset, const u64 *from, T scale, u32 threshold) {         \
    if (from) offset += *from; /* of a recorded step: where it begins now */                               \
    FOR_PACKS(i, n, 4) {                                                                                   \
      u32 words[4];                                                                                        \
      philox(offset + (u64)i / 4, seed, words);                                                            \
      Pack<T, 4> r = load<4>(x, i);                                                                       \
      _Pragma("unroll") for (int k = 0; k < 4; k++) r.v[k] = words[k] >> 8 >= threshold ? r.v[k] * scale : T(0); \
      store<4>(out, i, r);                                                                                \
    }                                                                                                      \
  }
DROPOUT(f32, float)
DROPOUT(f64, double)
