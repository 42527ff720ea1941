// All kernels: what is compiled to the one PTX text in the jar, by backend-cuda/ptx.
#include "copy.cu"
#include "elementwise.cu"
#include "gemm.cu"
#include "random.cu"
#include "reduce.cu"
#include "rows.cu"
#include "scatter.cu"
