// Random rectangles: a share of an image's area, with a ratio of its sides.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_BOXES_H_
#define MMCORE_CORE_IMAGE_AUGMENT_BOXES_H_

#include <cstddef>

#include "core/image/augment/random.h"
#include "core/image/augment/spec.h"

namespace mmcore::image {

struct Rectangle {
  size_t left = 0;
  size_t top = 0;
  size_t width = 0;
  size_t height = 0;
};

// Share uniform in `scale`, ratio (width / height) log-uniform in `ratio`, sides rounded, place uniform. After ten
// draws that do not fit, the largest centred rectangle whose ratio is within bounds.
Rectangle DrawCrop(Stream& stream, size_t height, size_t width, Range scale, Range ratio);

// The same with ratio = height / width, for erasing: empty after ten draws that leave no pixel on either axis.
Rectangle DrawErasure(Stream& stream, size_t height, size_t width, Range scale, Range ratio);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_BOXES_H_
