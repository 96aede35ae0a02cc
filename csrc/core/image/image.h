// What the image functions are given: views of 8-bit images, filters, boxes.
#ifndef MMCORE_CORE_IMAGE_IMAGE_H_
#define MMCORE_CORE_IMAGE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/api.h"

namespace mmcore::image {

// Rows of interleaved 8-bit channels that somebody else owns; `row_stride` bytes from one row to the next.
struct ImageView {
  const uint8_t* data = nullptr;
  size_t height = 0;
  size_t width = 0;
  size_t channels = 0;
  size_t row_stride = 0;

  size_t row_bytes() const { return width * channels; }
};

enum class Filter { kNearest, kBox, kBilinear, kHamming, kBicubic, kLanczos };

// The filter called `name` (nearest, box, bilinear, hamming, bicubic, lanczos). Throws InvalidArgument where it is
// unknown.
MMCORE_API Filter ParseFilter(std::string_view name);

// A part of an image in pixels, edges included: (0, 0, width, height) is all of it. Single precision, because
// that is what Pillow computes with, and a box in double precision would choose other pixels.
struct Box {
  float left = 0;
  float top = 0;
  float right = 0;
  float bottom = 0;
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_IMAGE_H_
