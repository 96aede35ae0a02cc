// (v / 255 - mean) / std of an 8-bit value, per channel, as a fixed sequence of float32 operations.
#ifndef MMCORE_CORE_IMAGE_NORMALIZATION_H_
#define MMCORE_CORE_IMAGE_NORMALIZATION_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/span.h"

namespace mmcore::image {

// The result is fma(v, scale, fma(v, scale_low, bias)), where scale + scale_low = 1 / (255 std) to 48 bits
// and bias = -mean / std: within one unit in the last place of the largest term, the same bits from a table
// and from vectors. The 16-bit formats are that result rounded once more. The arrays repeat the channels so that
// vectors of any width load them at i % kPeriod.
struct MMCORE_API Normalization {
  static constexpr size_t kPeriod = 48;
  static constexpr size_t kMaxChannels = 3;

  // One number of each for each of the one or three channels.
  // Throws InvalidArgument unless all are finite and each std is positive.
  Normalization(Span<const double> mean, Span<const double> std);

  // That of channel c alone, for rows that hold nothing else.
  Normalization Plane(size_t c) const;

  size_t channels;
  alignas(64) float scale[kPeriod];
  alignas(64) float scale_low[kPeriod];
  alignas(64) float bias[kPeriod];
  float table[kMaxChannels][256];
  uint16_t bfloat16[kMaxChannels][256];
  uint16_t float16[kMaxChannels][256];

 private:
  Normalization() = default;
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_NORMALIZATION_H_
