#include "core/image/plan.h"

#include <algorithm>
#include <list>

#include "core/image/blocks.h"

namespace mmcore::image {
namespace {

// Weights of output i go to places lead(i) .. of its groups, zeros around them.
template <typename Lead>
Pass Encode(const Taps& taps, const Kernels& kernels, Lead lead) {
  const size_t count = taps.starts.size();
  Pass pass;
  pass.used.resize(count);
  for (size_t i = 0; i < count; ++i) {
    pass.used[i] = static_cast<uint32_t>((lead(i) + taps.sizes[i] + 3) / 4);
    pass.groups = std::max<size_t>(pass.groups, pass.used[i]);
  }
  pass.words_per_output = pass.groups * kernels.words_per_group;
  pass.starts.resize(count);
  pass.encoded.resize(count * pass.words_per_output);
  std::vector<int32_t> weights(pass.groups * 4);
  for (size_t i = 0; i < count; ++i) {
    std::fill(weights.begin(), weights.end(), 0);
    const int32_t* begin = taps.weights.data() + i * taps.stride;
    std::copy(begin, begin + taps.sizes[i], weights.data() + lead(i));
    int32_t* words = pass.encoded.data() + i * pass.words_per_output;
    for (size_t g = 0; g < pass.used[i]; ++g)
      kernels.encode(&weights[4 * g], words + g * kernels.words_per_group);
  }
  return pass;
}

Pass HorizontalPass(const Taps& taps, size_t channels, size_t first_column, const Kernels& kernels) {
  Pass pass = Encode(taps, kernels, [](size_t) { return size_t{0}; });
  for (size_t i = 0; i < pass.starts.size(); ++i)
    pass.starts[i] = static_cast<uint32_t>((taps.starts[i] - first_column) * channels);
  return pass;
}

Pass VerticalPass(const Taps& taps, size_t first_row, const Kernels& kernels) {
  Pass pass = Encode(taps, kernels, [&](size_t i) { return (taps.starts[i] - first_row) % 4; });
  for (size_t i = 0; i < pass.starts.size(); ++i)
    pass.starts[i] = static_cast<uint32_t>((taps.starts[i] - first_row) / 4);
  return pass;
}

size_t Largest(const std::vector<uint32_t>& numbers) {
  return *std::max_element(numbers.begin(), numbers.end());
}

size_t Smallest(const std::vector<uint32_t>& numbers) {
  return *std::min_element(numbers.begin(), numbers.end());
}

// One past the last source pixel that is read.
size_t End(const Taps& taps) {
  size_t end = 0;
  for (size_t i = 0; i < taps.starts.size(); ++i) end = std::max<size_t>(end, taps.starts[i] + taps.sizes[i]);
  return end;
}

}  // namespace

Plan::Plan(const Geometry& of) : geometry(of) {
  const Kernels& kernels = *geometry.kernels;
  const size_t channels = geometry.channels;
  const Taps down = MakeTaps(geometry.down, geometry.filter);
  const Taps across = MakeTaps(geometry.across, geometry.filter);
  first_row = Smallest(down.starts);
  first_column = Smallest(across.starts);
  column_bytes = (End(across) - first_column) * channels;
  vertical = VerticalPass(down, first_row, kernels);
  if (kernels.horizontal_blocks != nullptr) blocks = MakeBlocks(across, channels, first_column, kernels);
  if (blocks.pixels != 0) {
    reach = Largest(blocks.starts) + (blocks.groups - 1) * 4 * channels + 64;
  } else {
    horizontal = HorizontalPass(across, channels, first_column, kernels);
    reach = Largest(horizontal.starts) + (horizontal.groups - 1) * 4 * channels + 16;
  }
  reach = std::max(reach, column_bytes);
}

void Plan::Horizontal(const uint8_t* const rows[4], uint8_t* quad) const {
  if (blocks.pixels != 0) return geometry.kernels->horizontal_blocks(rows, blocks, geometry.channels, quad);
  geometry.kernels->horizontal(rows, horizontal.starts.data(), horizontal.encoded.data(), horizontal.groups,
                               horizontal.starts.size(), geometry.channels, quad);
}

size_t Plan::num_bytes() const {
  const size_t words = vertical.encoded.size() + horizontal.encoded.size() + blocks.words.size();
  return 4 * words + blocks.picks.size() + 8 * (vertical.starts.size() + horizontal.starts.size());
}

const Plan& PlanFor(const Geometry& geometry) {
  constexpr size_t kMostPlans = 32;
  constexpr size_t kMostBytes = size_t{1} << 17;  // Of one kept plan; that of a photo has a quarter.
  static thread_local std::list<Plan> plans;      // The newest first.
  const auto known =
      std::find_if(plans.begin(), plans.end(), [&](const Plan& plan) { return plan.geometry == geometry; });
  if (known != plans.end()) {
    plans.splice(plans.begin(), plans, known);
    return plans.front();
  }
  if (plans.size() == kMostPlans || (!plans.empty() && plans.front().num_bytes() > kMostBytes)) {
    plans.erase(plans.size() == kMostPlans ? std::prev(plans.end()) : plans.begin());
  }
  return plans.emplace_front(geometry);
}

}  // namespace mmcore::image
