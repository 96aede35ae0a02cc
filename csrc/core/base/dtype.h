// The element types that kernels take. All their sums are of float32.
#ifndef MMCORE_CORE_BASE_DTYPE_H_
#define MMCORE_CORE_BASE_DTYPE_H_

#include <cstddef>
#include <cstdint>

namespace mmcore {

enum class Dtype { kFloat32, kBfloat16 };

inline size_t SizeOf(Dtype dtype) { return dtype == Dtype::kFloat32 ? sizeof(float) : sizeof(uint16_t); }

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_DTYPE_H_
