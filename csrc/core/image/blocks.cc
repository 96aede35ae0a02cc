#include "core/image/blocks.h"

#include <algorithm>

#include "core/base/span.h"

namespace mmcore::image {
namespace {

constexpr size_t kBlockBytes = 64;
// With fewer outputs in a block, gathering taps from four rows for one output takes fewer instructions.
constexpr size_t kFewestPixels = 3;

struct Range {
  size_t first, last;
};

Range StartsOf(const Taps& taps, size_t begin, size_t pixels) {
  const auto from = taps.starts.begin() + static_cast<std::ptrdiff_t>(begin);
  const size_t count = std::min(pixels, taps.starts.size() - begin);
  const auto [first, last] = std::minmax_element(from, from + static_cast<std::ptrdiff_t>(count));
  return {*first, *last};
}

bool Fit(const Taps& taps, size_t channels, size_t pixels) {
  for (size_t x = 0; x < taps.starts.size(); x += pixels) {
    const Range starts = StartsOf(taps, x, pixels);
    if ((starts.last - starts.first + 4) * channels > kBlockBytes) return false;
  }
  return true;
}

// Where the lanes of output p of a block find its taps, which begin at byte `at` of the 64.
void PlacePicks(size_t at, size_t channels, size_t p, uint8_t* picks) {
  for (size_t c = 0; c < channels; ++c) {
    for (size_t t = 0; t < 4; ++t) {
      picks[4 * (p * channels + c) + t] = static_cast<uint8_t>(at + t * channels + c);
    }
  }
}

// The words of output p of a block, the same in all its channels.
void PlaceWords(Span<const int32_t> weights, size_t channels, size_t p, const Kernels& kernels, int32_t* words) {
  for (size_t t = 0; t < weights.size(); t += 4) {
    int32_t group[4] = {0, 0, 0, 0};
    std::copy_n(weights.data() + t, std::min<size_t>(4, weights.size() - t), group);
    int32_t encoded[kMaxWordsPerGroup];
    kernels.encode(group, encoded);
    for (size_t part = 0; part < kernels.words_per_group; ++part, words += Blocks::kLanes) {
      std::fill_n(words + p * channels, channels, encoded[part]);
    }
  }
}

}  // namespace

Blocks MakeBlocks(const Taps& taps, size_t channels, size_t first_column, const Kernels& kernels) {
  Blocks blocks;
  size_t pixels = Blocks::kLanes / channels;
  while (pixels >= kFewestPixels && !Fit(taps, channels, pixels)) --pixels;
  if (pixels < kFewestPixels) return blocks;
  const size_t count = (taps.starts.size() + pixels - 1) / pixels;
  blocks.pixels = pixels;
  blocks.groups = (*std::max_element(taps.sizes.begin(), taps.sizes.end()) + 3) / 4;
  blocks.starts.resize(count);
  blocks.picks = Buffer<uint8_t>(count * kBlockBytes);
  const size_t words_per_block = blocks.groups * kernels.words_per_group * Blocks::kLanes;
  blocks.words = Buffer<int32_t>(count * words_per_block);
  std::fill_n(blocks.picks.data(), blocks.picks.size(), uint8_t{0});
  std::fill_n(blocks.words.data(), blocks.words.size(), 0);
  for (size_t x = 0; x < taps.starts.size(); ++x) {
    const size_t b = x / pixels;
    const size_t p = x % pixels;
    if (p == 0) blocks.starts[b] = static_cast<uint32_t>(StartsOf(taps, x, pixels).first);
    const Span<const int32_t> weights(taps.weights.data() + x * taps.stride, taps.sizes[x]);
    PlacePicks((taps.starts[x] - blocks.starts[b]) * channels, channels, p, blocks.picks.data() + b * kBlockBytes);
    PlaceWords(weights, channels, p, kernels, blocks.words.data() + b * words_per_block);
  }
  for (uint32_t& start : blocks.starts) {
    start = static_cast<uint32_t>((start - first_column) * channels);
  }
  return blocks;
}

}  // namespace mmcore::image
