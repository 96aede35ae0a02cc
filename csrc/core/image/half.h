// binary16, rounded to nearest, ties to even; bfloat16 is in core/base/bfloat16.h.
#ifndef MMCORE_CORE_IMAGE_HALF_H_
#define MMCORE_CORE_IMAGE_HALF_H_

#include <cstdint>
#include <cstring>

namespace mmcore::image {

inline uint32_t FloatBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// IEEE 754 binary16. `value` must not be NaN; what is too large becomes infinite.
inline uint16_t ToFloat16(float value) {
  const uint32_t bits = FloatBits(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  constexpr uint32_t kOverflow = 0x477FF000;  // 65520, halfway between the largest number and the next.
  constexpr uint32_t kSmallestNormal = 0x38800000;  // 2^-14
  if (magnitude >= kOverflow) return static_cast<uint16_t>(sign | 0x7C00);
  const auto rounded = [](uint32_t number, uint32_t dropped) {  // dropped: 1 to 31 bits
    const uint32_t half = (1U << (dropped - 1)) - 1;
    return (number + half + ((number >> dropped) & 1)) >> dropped;
  };
  if (magnitude >= kSmallestNormal) return static_cast<uint16_t>(sign | rounded(magnitude - 0x38000000, 13));
  const uint32_t exponent = magnitude >> 23;
  if (exponent < 102) return static_cast<uint16_t>(sign);  // Below 2^-25, half the smallest number.
  return static_cast<uint16_t>(sign | rounded((magnitude & 0x7FFFFF) | 0x800000, 126 - exponent));
}

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_HALF_H_
