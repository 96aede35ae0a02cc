#include "core/image/normalization.h"

#include <cmath>
#include <string>

#include "core/base/errors.h"

namespace mmcore::image {

Normalization::Normalization(const std::array<double, 3>& mean, const std::array<double, 3>& std) {
  for (size_t c = 0; c < 3; ++c) {
    if (!std::isfinite(mean[c]) || !std::isfinite(std[c]) || !(std[c] > 0.0)) {
      throw InvalidArgument("mean must be finite and std finite and positive, got mean " +
                            std::to_string(mean[c]) + " and std " + std::to_string(std[c]) + " for channel " +
                            std::to_string(c));
    }
    const double exact = 1.0 / (255.0 * std[c]);
    const auto high = static_cast<float>(exact);
    const auto low = static_cast<float>(exact - high);
    const auto offset = static_cast<float>(-mean[c] / std[c]);
    for (size_t i = c; i < kPeriod; i += 3) {
      scale[i] = high;
      scale_low[i] = low;
      bias[i] = offset;
    }
    for (size_t v = 0; v < 256; ++v) {
      const auto value = static_cast<float>(v);
      table[c][v] = std::fma(value, high, std::fma(value, low, offset));
    }
  }
}

}  // namespace mmcore::image
