// The element types of the kernels. Arithmetic is done in float32; see Pack and ToFloat of device.h.
#ifndef MMCORE_CUDA_NUMBERS_H_
#define MMCORE_CUDA_NUMBERS_H_

#include <cstdint>

namespace mmcore::cuda {

struct Bfloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

// What moves as one: 16 bytes.
template <typename T>
struct alignas(16) Chunk {
  T values[16 / sizeof(T)];
};
template <typename T>
constexpr int kPerChunk = static_cast<int>(16 / sizeof(T));

// Two neighbours, written or read as one.
template <typename T>
struct alignas(2 * sizeof(T)) Pair {
  T values[2];
};

constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_NUMBERS_H_
