// Sample kernels for the emulator's tests; samples.ptx is what `nvcc -ptx -arch=compute_75` makes of them, its version
// lowered to 8.0.

extern "C" __global__ void add(const float* __restrict__ a, const float* __restrict__ b, float* c, long long n) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}

// A sum for each block: shuffles within warps, shared memory between them.
extern "C" __global__ void sum(const float* __restrict__ a, float* out, long long n) {
    __shared__ float part[32];
    float s = 0;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) s += a[i];
    for (int o = 16; o > 0; o >>= 1) s += __shfl_down_sync(~0u, s, o);
    if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = s;
    __syncthreads();
    if (threadIdx.x < 32) {
        s = threadIdx.x < (blockDim.x >> 5) ? part[threadIdx.x] : 0.f;
        for (int o = 16; o > 0; o >>= 1) s += __shfl_down_sync(~0u, s, o);
        if (threadIdx.x == 0) out[blockIdx.x] = s;
    }
}

// A block for each row, trees in shared memory of a size that the launch chooses.
extern "C" __global__ void softmax(const float* __restrict__ x, float* y, int columns) {
    extern __shared__ float buffer[];
    const float* row = x + (long long)blockIdx.x * columns;
    float* out = y + (long long)blockIdx.x * columns;
    const int t = threadIdx.x;
    float most = -INFINITY;
    for (int c = t; c < columns; c += blockDim.x) most = fmaxf(most, row[c]);
    buffer[t] = most;
    __syncthreads();
    for (int s = blockDim.x / 2; s > 0; s >>= 1) {
        if (t < s) buffer[t] = fmaxf(buffer[t], buffer[t + s]);
        __syncthreads();
    }
    most = buffer[0];
    __syncthreads();
    float total = 0;
    for (int c = t; c < columns; c += blockDim.x) total += expf(row[c] - most);
    buffer[t] = total;
    __syncthreads();
    for (int s = blockDim.x / 2; s > 0; s >>= 1) {
        if (t < s) buffer[t] += buffer[t + s];
        __syncthreads();
    }
    total = buffer[0];
    for (int c = t; c < columns; c += blockDim.x) out[c] = expf(row[c] - most) / total;
}

struct Hyper {
    float rate, beta1, beta2, eps, correction1, correction2;
};

// Adam with a table of hyperparameters, chosen for each 256 elements.
extern "C" __global__ void adam(float* __restrict__ p, const float* __restrict__ g, float* __restrict__ m, float* __restrict__ v,
                                const Hyper* __restrict__ table, const unsigned char* __restrict__ group, long long n) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= n) return;
    const Hyper h = table[group[i >> 8]];
    const float grad = g[i];
    const float first = __fmaf_rn(__fsub_rn(grad, m[i]), __fsub_rn(1.f, h.beta1), m[i]);
    const float second = __fmaf_rn(__fmul_rn(__fsub_rn(1.f, h.beta2), grad), grad, __fmul_rn(h.beta2, v[i]));
    m[i] = first;
    v[i] = second;
    const float root = __fadd_rn(__fdiv_rn(__fsqrt_rn(second), h.correction2), h.eps);
    p[i] = __fmaf_rn(__fdiv_rn(-h.rate, h.correction1), __fdiv_rn(first, root), p[i]);
}

// Four elements a thread: 16 bytes of each array.
extern "C" __global__ void scale4(float4* x, float factor, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float4 v = x[i];
    v.x *= factor, v.y *= factor, v.z *= factor, v.w *= factor;
    x[i] = v;
}

// One element in `stride`: the sectors say what that costs.
extern "C" __global__ void strided(const float* a, float* out, int stride) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    out[i] = a[(long long)i * stride];
}

// Functions of double precision: calls, tables, local memory.
extern "C" __global__ void functions(const double* x, double* out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const double v = x[i];
    double* o = out + 10ll * i;
    o[0] = exp(v), o[1] = log(fabs(v)), o[2] = pow(fabs(v), 1.37), o[3] = sin(v), o[4] = cos(v), o[5] = tanh(v), o[6] = erf(v), o[7] = expm1(v);
    o[8] = log1p(fabs(v)), o[9] = fmod(v, 0.7);
}

// The same in single precision.
extern "C" __global__ void functions32(const float* x, float* out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float v = x[i];
    float* o = out + 10ll * i;
    o[0] = expf(v), o[1] = logf(fabsf(v)), o[2] = powf(fabsf(v), 1.37f), o[3] = sinf(v), o[4] = cosf(v), o[5] = tanhf(v), o[6] = erff(v), o[7] = expm1f(v);
    o[8] = log1pf(fabsf(v)), o[9] = fmodf(v, 0.7f);
}

// An atomic sum, whose last bits tell the order of blocks.
extern "C" __global__ void atomicSum(const float* a, float* out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(out, a[i]);
}

extern "C" __global__ void histogram(const int* a, int* counts, int n) {
    __shared__ int local[16];
    if (threadIdx.x < 16) local[threadIdx.x] = 0;
    __syncthreads();
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&local[a[i] & 15], 1);
    __syncthreads();
    if (threadIdx.x < 16) atomicAdd(&counts[threadIdx.x], local[threadIdx.x]);
}

// Lanes part and meet again: loops of different lengths, breaks, and votes over those that are there.
extern "C" __global__ void diverge(const int* a, int* out) {
    const int t = blockIdx.x * blockDim.x + threadIdx.x;
    int x = a[t], steps = 0;
    while (x != 1) {
        x = (x & 1) ? 3 * x + 1 : x / 2;
        if (++steps == 200) break;
    }
    const unsigned even = __ballot_sync(~0u, (steps & 1) == 0);
    const int some = __any_sync(~0u, steps > 100), every = __all_sync(~0u, steps < 150);
    const int block = __syncthreads_count(steps > 10), either = __syncthreads_or(steps == 7), both = __syncthreads_and(steps < 200);
    out[t] = steps + 1000 * __popc(even) + 100000 * some + 200000 * every + 1000000 * (block & 255) + 400000 * either + 800000 * (both & 0);
}

__device__ float scratch[4];
__constant__ float table[4] = {1.f, 2.f, 4.f, 8.f};

extern "C" __global__ void variables(float* out) {
    scratch[threadIdx.x] = table[3 - threadIdx.x];
    out[threadIdx.x] = scratch[threadIdx.x] + table[threadIdx.x];
}
