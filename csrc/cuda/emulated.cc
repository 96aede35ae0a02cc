// The whole library on the CPU, for tests (device_emulated.h): `c++ -shared` of this one file has the C interface of
// mmcore/_cuda.so, with pointers of host memory.
#include "cuda/attention.cu"
#include "cuda/backward_bfloat16.cu"
#include "cuda/backward_float16.cu"
#include "cuda/backward_float32.cu"
#include "cuda/forward_bfloat16.cu"
#include "cuda/forward_float16.cu"
#include "cuda/forward_float32.cu"
#include "cuda/xla.cu"
