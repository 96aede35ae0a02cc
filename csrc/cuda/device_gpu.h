// The primitives of device.h as instructions of the GPU. Source: NVIDIA, Parallel Thread Execution ISA: ldmatrix, mma
// (fragments of .m16n8k16 with floating point types), cp.async. All are of compute capability 8.0 and later.
#ifndef MMCORE_CUDA_DEVICE_GPU_H_
#define MMCORE_CUDA_DEVICE_GPU_H_

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "cuda/numbers.h"

#define MMCORE_DEVICE __device__ __forceinline__
#define MMCORE_BOTH __host__ __device__ __forceinline__
#define MMCORE_KERNEL(threads) __global__ void __launch_bounds__(threads, 2)
#define MMCORE_PARAMETER const __grid_constant__
#define MMCORE_UNROLL _Pragma("unroll")
#define MMCORE_UNROLL_TWICE _Pragma("unroll 2")

namespace mmcore::cuda {

using Stream = cudaStream_t;

MMCORE_DEVICE int ThreadIndex() { return static_cast<int>(threadIdx.x); }
MMCORE_DEVICE int BlockX() { return static_cast<int>(blockIdx.x); }
MMCORE_DEVICE int BlockY() { return static_cast<int>(blockIdx.y); }
MMCORE_DEVICE int BlockZ() { return static_cast<int>(blockIdx.z); }

MMCORE_DEVICE std::byte* SharedMemory() {
  extern __shared__ __align__(16) std::byte memory[];
  return memory;
}

MMCORE_DEVICE void SyncBlock() { __syncthreads(); }
MMCORE_DEVICE void SyncWarp() { __syncwarp(); }

template <typename T>
MMCORE_DEVICE T ShuffleXor(T value, int lanes) {
  return __shfl_xor_sync(0xFFFFFFFFu, value, lanes);
}

MMCORE_DEVICE float Exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
MMCORE_DEVICE float Exp(float x) { return expf(x); }  // Within one unit in the last place.
MMCORE_DEVICE float Log2(float x) { return log2f(x); }
MMCORE_DEVICE float Tanh(float x) { return tanhf(x); }
MMCORE_DEVICE float MultiplyAdd(float a, float b, float sum) { return fmaf(a, b, sum); }
MMCORE_DEVICE float Max(float a, float b) { return fmaxf(a, b); }
MMCORE_DEVICE float Infinity() { return __int_as_float(0x7F800000); }

MMCORE_DEVICE float ToFloat(float x) { return x; }
MMCORE_DEVICE float ToFloat(Bfloat16 x) { return __uint_as_float(static_cast<uint32_t>(x.bits) << 16); }
MMCORE_DEVICE float ToFloat(Float16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}

// Two numbers in one register, the first in the lower half; rounded to nearest, ties to even.
template <typename T>
MMCORE_DEVICE uint32_t Pack(float first, float second);
template <>
MMCORE_DEVICE uint32_t Pack<Bfloat16>(float first, float second) {
  uint32_t both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
  return both;
}
template <>
MMCORE_DEVICE uint32_t Pack<Float16>(float first, float second) {
  uint32_t both;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
  return both;
}

MMCORE_DEVICE uint32_t SharedAddress(const void* shared) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

// Four matrices of 8 x 8 16-bit numbers: lane i gives the address of row i % 8 of matrix i / 8, and receives of each
// matrix the numbers 2 (lane % 4) and the next of row lane / 4.
MMCORE_DEVICE void LoadMatrices(uint32_t (&to)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(SharedAddress(row))
               : "memory");
}

// The same of the transposed matrices.
MMCORE_DEVICE void LoadMatricesTransposed(uint32_t (&to)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(SharedAddress(row))
               : "memory");
}

// sum += left right on the tensor cores: 16 x 16 times 16 x 8, products and sums in float32.
template <typename T>
MMCORE_DEVICE void MultiplyAdd(float (&sum)[4], const uint32_t (&left)[4], uint32_t right0, uint32_t right1);
template <>
MMCORE_DEVICE void MultiplyAdd<Bfloat16>(float (&sum)[4], const uint32_t (&left)[4], uint32_t right0,
                                         uint32_t right1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
               : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right0), "r"(right1));
}
template <>
MMCORE_DEVICE void MultiplyAdd<Float16>(float (&sum)[4], const uint32_t (&left)[4], uint32_t right0,
                                        uint32_t right1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
               : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right0), "r"(right1));
}

// Begin to copy 16 or 4 bytes from global to shared memory, or to write zeros there where `inside` is false. The copy
// is done for this thread after WaitForCopies, for the others after the SyncBlock that follows.
MMCORE_DEVICE void CopyAsync16(void* shared, const void* global, bool inside) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(SharedAddress(shared)), "l"(global),
               "r"(inside ? 16 : 0)
               : "memory");
}
MMCORE_DEVICE void CopyAsync4(void* shared, const void* global, bool inside) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(SharedAddress(shared)), "l"(global),
               "r"(inside ? 4 : 0)
               : "memory");
}
MMCORE_DEVICE void WaitForCopies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

// Memory of the device in the order of the stream; null or what is wrong.
inline const char* Allocate(void** memory, size_t bytes, Stream stream) {
  const cudaError_t error = cudaMallocAsync(memory, bytes, stream);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
inline const char* Free(void* memory, Stream stream) {
  const cudaError_t error = cudaFreeAsync(memory, stream);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

struct Grid {
  int x, y, z;
};

// Queues the kernel; null or what is wrong.
template <typename Parameter>
const char* Launch(void (*kernel)(Parameter), const Grid& grid, int threads, int shared_bytes, Stream stream,
                   const Parameter& parameter) {
  cudaError_t error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                           cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
  if (error == cudaSuccess) {
    const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
    kernel<<<blocks, static_cast<unsigned>(threads), static_cast<size_t>(shared_bytes), stream>>>(parameter);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_DEVICE_GPU_H_
