// A picture while it is augmented: one 32-bit word a pixel, red in the lowest byte, the highest zero. A lane of a
// vector is then a pixel, whatever the number of channels that an operation mixes.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_CANVAS_H_
#define MMCORE_CORE_IMAGE_AUGMENT_CANVAS_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/buffer.h"

namespace mmcore::image {

struct Canvas {
  size_t height = 0;
  size_t width = 0;
  Buffer<uint32_t> pixels;
  Buffer<uint32_t> spare;  // As large: where operations write that cannot work in place.

  size_t size() const { return height * width; }
  uint32_t* row(size_t y) { return pixels.data() + y * width; }
  const uint32_t* row(size_t y) const { return pixels.data() + y * width; }
  void Swap() { std::swap(pixels, spare); }

  void Reset(size_t new_height, size_t new_width) {
    height = new_height;
    width = new_width;
    pixels.Reserve(size());
    spare.Reserve(size());
  }
};

constexpr uint32_t Pixel(uint32_t red, uint32_t green, uint32_t blue) {
  return red | green << 8 | blue << 16;
}

// Three-byte pixels to the canvas, which has been Reset and is not empty, and back (count is at least 1).
void Unpack(const uint8_t* bytes, Canvas& canvas);
void Pack(const uint32_t* pixels, size_t count, uint8_t* bytes);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_CANVAS_H_
