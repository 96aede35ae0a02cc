#include "core/image/plan.h"

#include <algorithm>

namespace mmcore::image {
namespace {

// Weights of output i go to places lead(i) .. of its groups, zeros around them.
template <typename Lead>
Pass Encode(const Taps& taps, const Kernels& kernels, Lead lead) {
  const size_t count = taps.starts.size();
  Pass pass;
  for (size_t i = 0; i < count; ++i) pass.groups = std::max(pass.groups, (lead(i) + taps.sizes[i] + 3) / 4);
  pass.words_per_output = pass.groups * kernels.words_per_group;
  pass.starts.resize(count);
  pass.encoded.resize(count * pass.words_per_output);
  std::vector<int32_t> weights(pass.groups * 4);
  for (size_t i = 0; i < count; ++i) {
    std::fill(weights.begin(), weights.end(), 0);
    const int32_t* begin = taps.weights.data() + i * taps.stride;
    std::copy(begin, begin + taps.sizes[i], weights.data() + lead(i));
    int32_t* words = pass.encoded.data() + i * pass.words_per_output;
    for (size_t g = 0; g < pass.groups; ++g)
      kernels.encode(&weights[4 * g], words + g * kernels.words_per_group);
  }
  return pass;
}

}  // namespace

Pass HorizontalPass(const Taps& taps, size_t channels, const Kernels& kernels) {
  Pass pass = Encode(taps, kernels, [](size_t) { return size_t{0}; });
  for (size_t i = 0; i < pass.starts.size(); ++i)
    pass.starts[i] = taps.starts[i] * static_cast<uint32_t>(channels);
  return pass;
}

Pass VerticalPass(const Taps& taps, size_t first_row, const Kernels& kernels) {
  Pass pass = Encode(taps, kernels, [&](size_t i) { return (taps.starts[i] - first_row) % 4; });
  for (size_t i = 0; i < pass.starts.size(); ++i)
    pass.starts[i] = static_cast<uint32_t>((taps.starts[i] - first_row) / 4);
  return pass;
}

}  // namespace mmcore::image
