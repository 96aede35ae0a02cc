#include "core/image/augment/canvas.h"

#include <cstring>

namespace mmcore::image {
namespace {

// Four bytes at once, the fourth being the next pixel's: little-endian, as all processors are that mmcore is built for.
uint32_t LoadWord(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word & 0xffffff;
}

}  // namespace

void Unpack(const uint8_t* bytes, Canvas& canvas) {
  uint32_t* pixels = canvas.pixels.data();
  const size_t last = canvas.size() - 1;
  for (size_t i = 0; i < last; ++i) pixels[i] = LoadWord(bytes + 3 * i);
  bytes += 3 * last;
  pixels[last] = Pixel(bytes[0], bytes[1], bytes[2]);
}

void Pack(const uint32_t* pixels, size_t count, uint8_t* bytes) {
  // Each word's fourth byte is written over by the next.
  for (size_t i = 0; i + 1 < count; ++i) std::memcpy(bytes + 3 * i, &pixels[i], sizeof(uint32_t));
  std::memcpy(bytes + 3 * (count - 1), &pixels[count - 1], 3);
}

}  // namespace mmcore::image
