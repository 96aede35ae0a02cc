// (v / 255 - mean) / std of an 8-bit value, per channel, as a fixed sequence of float32 operations.
#ifndef MMCORE_CORE_IMAGE_NORMALIZATION_H_
#define MMCORE_CORE_IMAGE_NORMALIZATION_H_

#include <array>
#include <cstddef>

#include "core/base/api.h"

namespace mmcore::image {

// The result is fma(v, scale, fma(v, scale_low, bias)), where scale + scale_low = 1 / (255 std) to 48 bits
// and bias = -mean / std: within one unit in the last place of the largest term, the same bits from a table
// and from vectors. The arrays repeat the three channels so that vectors of any width load them at i %
// kPeriod.
struct MMCORE_API Normalization {
  static constexpr size_t kPeriod = 48;

  // Throws InvalidArgument unless all are finite and each std is positive.
  Normalization(const std::array<double, 3>& mean, const std::array<double, 3>& std);

  alignas(64) float scale[kPeriod];
  alignas(64) float scale_low[kPeriod];
  alignas(64) float bias[kPeriod];
  float table[3][256];
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_NORMALIZATION_H_
