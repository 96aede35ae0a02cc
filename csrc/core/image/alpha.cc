#include "core/image/alpha.h"

#include <algorithm>

namespace mmcore::image {
namespace {

// round(a * b / 255) without a division, exact for 8-bit factors.
uint8_t MultiplyRounded(uint32_t a, uint32_t b) {
  const uint32_t product = a * b + 128;
  return static_cast<uint8_t>((product + (product >> 8)) >> 8);
}

}  // namespace

Buffer<uint8_t> Premultiply(const ImageView& image) {
  Buffer<uint8_t> result(image.height * image.row_bytes());
  uint8_t* out = result.data();
  for (size_t y = 0; y < image.height; ++y) {
    const uint8_t* in = image.data + y * image.row_stride;
    for (size_t x = 0; x < image.width; ++x, in += image.channels, out += image.channels) {
      const uint8_t alpha = in[image.channels - 1];
      for (size_t c = 0; c + 1 < image.channels; ++c) out[c] = MultiplyRounded(in[c], alpha);
      out[image.channels - 1] = alpha;
    }
  }
  return result;
}

void Unpremultiply(uint8_t* pixels, size_t num_pixels, size_t channels) {
  for (size_t i = 0; i < num_pixels; ++i, pixels += channels) {
    const uint32_t alpha = pixels[channels - 1];
    if (alpha == 0) continue;
    for (size_t c = 0; c + 1 < channels; ++c) {
      pixels[c] = static_cast<uint8_t>(std::min<uint32_t>(255, 255 * pixels[c] / alpha));
    }
  }
}

}  // namespace mmcore::image
