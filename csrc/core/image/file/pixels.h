// What is done with the pixels of an image file before they are resized: those of simple formats decoded, alpha put
// over a background, the picture turned upright.
#ifndef MMCORE_CORE_IMAGE_FILE_PIXELS_H_
#define MMCORE_CORE_IMAGE_FILE_PIXELS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/span.h"
#include "core/image/file/header.h"
#include "core/image/image.h"

namespace mmcore::image {

// Whether DecodePixels reads this format.
MMCORE_API bool IsDecodedHere(FileFormat format);

// Writes header.height x header.width x channels bytes, as they are stored (not turned): RGB for 3 channels, RGB and
// alpha for 4. `header` is that of the same file. Throws DataError for damaged files.
MMCORE_API void DecodePixels(Span<const uint8_t> file, const FileHeader& header, size_t channels, uint8_t* out);

// RGBA over a colour: round((alpha * pixel + (255 - alpha) * background) / 255), as Pillow's Image.paste with a mask.
MMCORE_API void Compose(Span<const uint8_t> rgba, const std::array<uint8_t, 3>& background, uint8_t* rgb);

// Writes the picture upright: width x height for orientations 5 to 8, height x width for others. A copy for 1 and for
// numbers that mean nothing. Source: Exif 2.3 (CIPA DC-008), tag 274.
MMCORE_API void Orient(const ImageView& image, int orientation, uint8_t* out);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_PIXELS_H_
