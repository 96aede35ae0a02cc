#include "core/image/normalization.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/bfloat16.h"
#include "core/base/errors.h"
#include "core/image/half.h"

namespace mmcore::image {
namespace {

void Check(Span<const double> mean, Span<const double> std) {
  if ((mean.size() != 1 && mean.size() != 3) || std.size() != mean.size()) {
    throw InvalidArgument("mean and std must be one number each, or three, got " + std::to_string(mean.size()) +
                          " and " + std::to_string(std.size()));
  }
  for (size_t c = 0; c < mean.size(); ++c) {
    if (!std::isfinite(mean[c]) || !std::isfinite(std[c]) || !(std[c] > 0.0)) {
      throw InvalidArgument("mean must be finite and std finite and positive, got mean " +
                            std::to_string(mean[c]) + " and std " + std::to_string(std[c]) + " for channel " +
                            std::to_string(c));
    }
  }
}

}  // namespace

Normalization::Normalization(Span<const double> mean, Span<const double> std) : channels(mean.size()) {
  Check(mean, std);
  for (size_t c = 0; c < channels; ++c) {
    const double exact = 1.0 / (255.0 * std[c]);
    const auto high = static_cast<float>(exact);
    const auto low = static_cast<float>(exact - high);
    const auto offset = static_cast<float>(-mean[c] / std[c]);
    for (size_t i = c; i < kPeriod; i += channels) {
      scale[i] = high;
      scale_low[i] = low;
      bias[i] = offset;
    }
    for (size_t v = 0; v < 256; ++v) {
      const auto value = static_cast<float>(v);
      table[c][v] = std::fma(value, high, std::fma(value, low, offset));
      bfloat16[c][v] = ToBfloat16(table[c][v]);
      float16[c][v] = ToFloat16(table[c][v]);
    }
  }
}

Normalization Normalization::Plane(size_t c) const {
  Normalization plane;
  plane.channels = 1;
  std::fill_n(plane.scale, kPeriod, scale[c]);
  std::fill_n(plane.scale_low, kPeriod, scale_low[c]);
  std::fill_n(plane.bias, kPeriod, bias[c]);
  std::copy_n(table[c], 256, plane.table[0]);
  std::copy_n(bfloat16[c], 256, plane.bfloat16[0]);
  std::copy_n(float16[c], 256, plane.float16[0]);
  return plane;
}

}  // namespace mmcore::image
