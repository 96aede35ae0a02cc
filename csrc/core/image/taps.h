// Which source pixels make one output pixel, and with what weights: antialiased separable resampling in
// fixed point, as Pillow defines it.
//
// Output i of n over the source interval [a, b) has its centre at c = a + (i + 0.5) s, with s = (b - a) / n;
// the filter is stretched by max(s, 1) (that is the antialiasing), evaluated at the centres of the source
// pixels that it covers, normalised to sum 1, and rounded to 22 fractional bits. A pixel is (2^21 + sum w p)
// >> 22, clamped.
#ifndef MMCORE_CORE_IMAGE_TAPS_H_
#define MMCORE_CORE_IMAGE_TAPS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/image/image.h"

namespace mmcore::image {

constexpr int kWeightBits = 22;
constexpr int32_t kRounding = 1 << (kWeightBits - 1);

// One axis of a resize: `in_size` source pixels, of which [begin, end) becomes `out_size`; of these only
// [first, first + count) are wanted, in reverse order where `reversed` is set.
struct Axis {
  size_t in_size;
  float begin;
  float end;
  size_t out_size;
  size_t first;
  size_t count;
  bool reversed;

  bool operator==(const Axis& other) const {
    return in_size == other.in_size && begin == other.begin && end == other.end && out_size == other.out_size &&
           first == other.first && count == other.count && reversed == other.reversed;
  }
};

// Output i sums weights[i * stride + t] times source pixel starts[i] + t, for t < sizes[i] <= stride.
struct Taps {
  size_t stride = 0;
  std::vector<uint32_t> starts;
  std::vector<uint32_t> sizes;
  std::vector<int32_t> weights;
};

Taps MakeTaps(const Axis& axis, Filter filter);

// The source pixel of each output for Filter::kNearest: floor(begin + (i + 0.5) s), where the multiple of s is a
// sum of i + 1 terms, as in Pillow: the rounding of each addition decides ties.
std::vector<uint32_t> NearestPixels(const Axis& axis);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_TAPS_H_
