// What kernels_*.cu compile, each for one type of elements: queue kernels on a stream; null or what is wrong.
#ifndef MMCORE_CUDA_KERNELS_H_
#define MMCORE_CUDA_KERNELS_H_

#include "cuda/call.h"

namespace mmcore::cuda {

template <typename T>
const char* Forward(const Call& call, Stream stream);
template <typename T>
const char* Delta(const Call& call, Stream stream);
template <typename T>
const char* KeyGradients(const Call& call, Stream stream);
template <typename T>
const char* QueryGradients(const Call& call, Stream stream);
template <typename T>
const char* BiasGradient(const Call& call, Stream stream);

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_KERNELS_H_
