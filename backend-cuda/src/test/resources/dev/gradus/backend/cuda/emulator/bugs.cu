// Kernels with one mistake each, which the emulator has to find; bugs.ptx is made as samples.ptx is.

// No barrier between the writes and the reads of other warps.
extern "C" __global__ void missingBarrier(float* x) {
    __shared__ float s[256];
    s[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = s[255 - threadIdx.x];
}

// The last barrier is missing: a warp writes what another may not have read yet.
extern "C" __global__ void lateBarrier(float* x) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x % 32];
    s[63 - threadIdx.x] = 2.f + threadIdx.x;
}

// No barrier of the warp: another lane's write is read.
extern "C" __global__ void missingWarpBarrier(float* x) {
    __shared__ volatile float s[32];
    s[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = s[31 - threadIdx.x];
}

// Half of the warp is elsewhere.
extern "C" __global__ void divergentShuffle(int* x) {
    int v = x[threadIdx.x];
    if (threadIdx.x < 16) v += __shfl_xor_sync(~0u, v, 1);
    x[threadIdx.x] = v;
}

extern "C" __global__ void divergentBarrier(int* x) {
    __shared__ int s[64];
    s[threadIdx.x] = x[threadIdx.x];
    if (x[threadIdx.x] > 3) {
        __syncthreads();
        x[threadIdx.x] = s[63 - threadIdx.x];
    } else {
        s[threadIdx.x] = 7;
        __syncthreads();
    }
}

// Without the guard on n.
extern "C" __global__ void pastTheEnd(float* x) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    x[i] = 1.f;
}

extern "C" __global__ void misaligned(float* x) {
    float4 v = *reinterpret_cast<float4*>(x + 1 + 4 * threadIdx.x);
    x[4 * threadIdx.x] = v.x + v.y + v.z + v.w;
}

extern "C" __global__ void uninitialisedShared(float* x) {
    __shared__ float s[64];
    if (threadIdx.x < 63) s[threadIdx.x] = 1.f;
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x];
}

extern "C" __global__ void copyAll(const float* from, float* to) { to[threadIdx.x] = from[threadIdx.x]; }

// Every block writes the same word, each another value.
extern "C" __global__ void blocksCollide(int* x) {
    if (threadIdx.x == 0) x[0] = blockIdx.x;
}

// All write one value: no race.
extern "C" __global__ void blocksAgree(int* x) {
    if (threadIdx.x == 0) x[0] = 5;
}

extern "C" __global__ void sharedPastTheEnd(int* x) {
    extern __shared__ int s[];
    s[threadIdx.x + 1] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x];
}

extern "C" __global__ void endless(volatile int* x) {
    while (x[0] == 0) {
    }
}

extern "C" __global__ void traps(const int* x) {
    if (x[threadIdx.x] == 9) asm("trap;");
}
