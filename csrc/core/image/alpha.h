// Premultiplied alpha in 8 bits, rounded as Pillow rounds it: colours that are invisible must not bleed into
// their neighbours when an image is resized.
#ifndef MMCORE_CORE_IMAGE_ALPHA_H_
#define MMCORE_CORE_IMAGE_ALPHA_H_

#include <cstddef>
#include <cstdint>

#include "core/base/buffer.h"
#include "core/image/image.h"

namespace mmcore::image {

// The last channel is alpha. Colours become round(colour * alpha / 255).
Buffer<uint8_t> Premultiply(const ImageView& image);

// In place: colours become min(255, floor(255 * colour / alpha)); pixels of alpha 0 stay.
void Unpremultiply(uint8_t* pixels, size_t num_pixels, size_t channels);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_ALPHA_H_
