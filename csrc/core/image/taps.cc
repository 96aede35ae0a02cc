#include "core/image/taps.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/errors.h"

namespace mmcore::image {
namespace {

// Keys' cubic convolution with a = -1/2 (Keys 1981, equation 4), in Horner form.
double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

double Bilinear(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

int32_t ToFixed(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<int32_t>(weight < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

template <double Curve(double)>
Taps Make(const Axis& axis, double radius) {
  // The interval's length is rounded to single precision first: see Box.
  const double scale = static_cast<double>(axis.end - axis.begin) / static_cast<double>(axis.out_size);
  const double stretch = std::max(scale, 1.0);
  const double support = radius * stretch;
  const double shrink = 1.0 / stretch;
  Taps taps;
  taps.stride = std::min(axis.in_size, static_cast<size_t>(std::ceil(support)) * 2 + 1);
  taps.starts.resize(axis.count);
  taps.sizes.resize(axis.count);
  taps.weights.assign(axis.count * taps.stride, 0);
  std::vector<double> exact(taps.stride);
  for (size_t i = 0; i < axis.count; ++i) {
    const size_t out = axis.first + (axis.reversed ? axis.count - 1 - i : i);
    const double center = axis.begin + (static_cast<double>(out) + 0.5) * scale;
    const auto low = static_cast<size_t>(std::max(center - support + 0.5, 0.0));
    const auto high = std::min(static_cast<size_t>(center + support + 0.5), axis.in_size);
    double sum = 0.0;
    for (size_t t = 0; t < high - low; ++t) {
      exact[t] = Curve((static_cast<double>(low + t) - center + 0.5) * shrink);
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

Filter ParseFilter(std::string_view name) {
  if (name == "bicubic") return Filter::kBicubic;
  if (name == "bilinear") return Filter::kBilinear;
  throw InvalidArgument("method must be 'bicubic' or 'bilinear', got '" + std::string(name) + "'");
}

Taps MakeTaps(const Axis& axis, Filter filter) {
  return filter == Filter::kBicubic ? Make<Bicubic>(axis, 2.0) : Make<Bilinear>(axis, 1.0);
}

}  // namespace mmcore::image
