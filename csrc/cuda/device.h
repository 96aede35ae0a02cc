// What the kernels ask of the machine, and nothing else: with nvcc by the instructions of the GPU, with any other
// compiler by an emulation of a thread block on the CPU, which runs the same kernels in tests.
#ifndef MMCORE_CUDA_DEVICE_H_
#define MMCORE_CUDA_DEVICE_H_

#ifdef __CUDACC__
#include "cuda/device_gpu.h"
#else
#include "cuda/device_emulated.h"
#endif

namespace mmcore::cuda {

constexpr int kLanes = 32;

MMCORE_DEVICE int Lane() { return ThreadIndex() % kLanes; }
MMCORE_DEVICE int Warp() { return ThreadIndex() / kLanes; }

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_DEVICE_H_
