// bfloat16: the upper half of a float32.
#ifndef MMCORE_CORE_BASE_BFLOAT16_H_
#define MMCORE_CORE_BASE_BFLOAT16_H_

#include <cstdint>
#include <cstring>

namespace mmcore {

inline float FromBfloat16(uint16_t value) {
  const uint32_t bits = uint32_t{value} << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

// Rounded to nearest, ties to even; NaN stays NaN.
inline uint16_t ToBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (value != value) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_BFLOAT16_H_
