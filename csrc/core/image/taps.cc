#include "core/image/taps.h"

#include <algorithm>
#include <cmath>

namespace mmcore::image {
namespace {

constexpr double kPi = 3.14159265358979323846;

// A filter is its curve and the radius outside of which the curve is 0. Each is computed by exactly Pillow's
// floating-point operations: another order would round weights otherwise.
struct BoxCurve {
  static constexpr double kRadius = 0.5;
  static double At(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }
};

struct Bilinear {
  static constexpr double kRadius = 1.0;
  static double At(double x) {
    x = std::fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
  }
};

// Hamming's window; its two constants have single precision in Pillow.
struct Hamming {
  static constexpr double kRadius = 1.0;
  static double At(double x) {
    x = std::fabs(x);
    if (x == 0.0) return 1.0;
    if (x >= 1.0) return 0.0;
    x *= kPi;
    return std::sin(x) / x * (0.54F + 0.46F * std::cos(x));
  }
};

// Keys' cubic convolution with a = -1/2 (Keys 1981, equation 4), in Horner form.
struct Bicubic {
  static constexpr double kRadius = 2.0;
  static double At(double x) {
    constexpr double a = -0.5;
    x = std::fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
  }
};

// A sinc under the main lobe of a sinc three times as wide.
struct Lanczos {
  static constexpr double kRadius = 3.0;
  static double Sinc(double x) {
    if (x == 0.0) return 1.0;
    x *= kPi;
    return std::sin(x) / x;
  }
  static double At(double x) { return x >= -3.0 && x < 3.0 ? Sinc(x) * Sinc(x / 3.0) : 0.0; }
};

int32_t ToFixed(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<int32_t>(weight < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

// The interval's length is rounded to single precision first: see Box.
double Scale(const Axis& axis) {
  return static_cast<double>(axis.end - axis.begin) / static_cast<double>(axis.out_size);
}

size_t Wanted(const Axis& axis, size_t i) {
  return axis.first + (axis.reversed ? axis.count - 1 - i : i);
}

template <typename Curve>
Taps Make(const Axis& axis) {
  const double scale = Scale(axis);
  const double stretch = std::max(scale, 1.0);
  const double support = Curve::kRadius * stretch;
  const double shrink = 1.0 / stretch;
  Taps taps;
  taps.stride = std::min(axis.in_size, static_cast<size_t>(std::ceil(support)) * 2 + 1);
  taps.starts.resize(axis.count);
  taps.sizes.resize(axis.count);
  taps.weights.assign(axis.count * taps.stride, 0);
  std::vector<double> exact(taps.stride);
  for (size_t i = 0; i < axis.count; ++i) {
    const double center = axis.begin + (static_cast<double>(Wanted(axis, i)) + 0.5) * scale;
    const auto low = static_cast<size_t>(std::max(center - support + 0.5, 0.0));
    const auto high = std::min(static_cast<size_t>(center + support + 0.5), axis.in_size);
    double sum = 0.0;
    for (size_t t = 0; t < high - low; ++t) {
      exact[t] = Curve::At((static_cast<double>(low + t) - center + 0.5) * shrink);
      sum += exact[t];
    }
    for (size_t t = 0; t < high - low; ++t) {
      taps.weights[i * taps.stride + t] = ToFixed(sum != 0.0 ? exact[t] / sum : exact[t]);
    }
    taps.starts[i] = static_cast<uint32_t>(low);
    taps.sizes[i] = static_cast<uint32_t>(high - low);
  }
  return taps;
}

}  // namespace

std::vector<uint32_t> NearestPixels(const Axis& axis) {
  const double scale = Scale(axis);
  std::vector<uint32_t> pixels(axis.count);
  double position = axis.begin + 0.5 * scale;
  for (size_t out = 0; out < axis.first; ++out) position += scale;
  for (size_t i = 0; i < axis.count; ++i, position += scale) {
    const size_t pixel = std::min(static_cast<size_t>(position), axis.in_size - 1);
    pixels[axis.reversed ? axis.count - 1 - i : i] = static_cast<uint32_t>(pixel);
  }
  return pixels;
}

Taps MakeTaps(const Axis& axis, Filter filter) {
  switch (filter) {
    case Filter::kBox:
      return Make<BoxCurve>(axis);
    case Filter::kBilinear:
      return Make<Bilinear>(axis);
    case Filter::kHamming:
      return Make<Hamming>(axis);
    case Filter::kBicubic:
      return Make<Bicubic>(axis);
    case Filter::kLanczos:
      return Make<Lanczos>(axis);
    case Filter::kNearest:
      break;
  }
  Taps taps;  // One tap of weight 1.
  taps.stride = 1;
  taps.starts = NearestPixels(axis);
  taps.sizes.assign(axis.count, 1);
  taps.weights.assign(axis.count, 1 << kWeightBits);
  return taps;
}

}  // namespace mmcore::image
