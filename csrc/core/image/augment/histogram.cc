// The operations that look at how often each value occurs before they change any.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/image/augment/color.h"

namespace mmcore::image {
namespace {

using Counts = std::array<uint64_t, 256>;
using Table = std::array<uint32_t, 256>;

std::array<Counts, 3> Histogram(const Canvas& canvas) {
  std::array<Counts, 3> counts{};
  for (size_t i = 0; i < canvas.size(); ++i) {
    const uint32_t pixel = canvas.pixels[i];
    ++counts[0][pixel & 255];
    ++counts[1][pixel >> 8 & 255];
    ++counts[2][pixel >> 16];
  }
  return counts;
}

void Map(Canvas& canvas, Table (*make)(const Counts&)) {
  const std::array<Counts, 3> counts = Histogram(canvas);
  const Table red = make(counts[0]), green = make(counts[1]), blue = make(counts[2]);
  for (size_t i = 0; i < canvas.size(); ++i) {
    const uint32_t pixel = canvas.pixels[i];
    canvas.pixels[i] = Pixel(red[pixel & 255], green[pixel >> 8 & 255], blue[pixel >> 16]);
  }
}

Table Same() {
  Table table;
  for (uint32_t v = 0; v < 256; ++v) table[v] = v;
  return table;
}

// The least value that occurs becomes 0, the greatest 255, with what is between on a line, cut off.
Table Stretched(const Counts& counts) {
  int low = 0, high = 255;
  while (low < 255 && counts[static_cast<size_t>(low)] == 0) ++low;
  while (high > 0 && counts[static_cast<size_t>(high)] == 0) --high;
  if (high <= low) return Same();
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  Table table;
  for (int v = 0; v < 256; ++v) {
    const int mapped = static_cast<int>(v * scale + offset);
    table[static_cast<size_t>(v)] = static_cast<uint32_t>(mapped < 0 ? 0 : mapped > 255 ? 255 : mapped);
  }
  return table;
}

// Each value becomes the number of pixels below it, in steps of a 255th of those not of the greatest value.
Table Equalized(const Counts& counts) {
  uint64_t total = 0, last = 0;
  for (const uint64_t count : counts) {
    total += count;
    if (count > 0) last = count;
  }
  const uint64_t step = (total - last) / 255;
  if (step == 0) return Same();
  Table table;
  uint64_t below = step / 2;
  for (size_t v = 0; v < 256; ++v) {
    table[v] = static_cast<uint32_t>(std::min<uint64_t>(below / step, 255));
    below += counts[v];
  }
  return table;
}

}  // namespace

void AutoContrast(Canvas& canvas) {
  Map(canvas, Stretched);
}

void Equalize(Canvas& canvas) {
  Map(canvas, Equalized);
}

}  // namespace mmcore::image
