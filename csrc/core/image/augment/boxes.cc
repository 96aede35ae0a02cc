#include "core/image/augment/boxes.h"

#include <algorithm>
#include <cmath>

namespace mmcore::image {
namespace {

constexpr int kAttempts = 10;

// Halves to even, as Python rounds. Sides are far below 2^53.
size_t Rounded(double value) {
  return static_cast<size_t>(std::nearbyint(value));
}

struct Sides {
  size_t longer_by_ratio;  // sqrt(area * ratio)
  size_t other;            // sqrt(area / ratio)
};

Sides DrawSides(Stream& stream, size_t height, size_t width, Range scale, Range ratio) {
  const double area = stream.Uniform(scale.low, scale.high) * static_cast<double>(height * width);
  const double aspect = std::exp(stream.Uniform(std::log(ratio.low), std::log(ratio.high)));
  return {Rounded(std::sqrt(area * aspect)), Rounded(std::sqrt(area / aspect))};
}

}  // namespace

Rectangle DrawCrop(Stream& stream, size_t height, size_t width, Range scale, Range ratio) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto [w, h] = DrawSides(stream, height, width, scale, ratio);
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const size_t top = stream.Below(height - h + 1);
    const size_t left = stream.Below(width - w + 1);
    return {left, top, w, h};
  }
  const auto limited = [](size_t side, double wanted) {
    const double most = static_cast<double>(side);
    return std::max<size_t>(1, wanted >= most ? side : Rounded(wanted));
  };
  const size_t w = limited(width, static_cast<double>(height) * ratio.high);
  const size_t h = limited(height, static_cast<double>(width) / ratio.low);
  return {(width - w) / 2, (height - h) / 2, w, h};
}

Rectangle DrawErasure(Stream& stream, size_t height, size_t width, Range scale, Range ratio) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto [h, w] = DrawSides(stream, height, width, scale, ratio);
    if (w >= width || h >= height) continue;
    const size_t top = stream.Below(height - h + 1);
    const size_t left = stream.Below(width - w + 1);
    return {left, top, w, h};
  }
  return {};
}

}  // namespace mmcore::image
