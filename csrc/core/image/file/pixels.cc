#include "core/image/file/pixels.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/errors.h"
#include "core/image/file/bmp.h"
#include "core/image/file/gif.h"

namespace mmcore::image {

bool IsDecodedHere(FileFormat format) { return format == FileFormat::kGif || format == FileFormat::kBmp; }

void DecodePixels(Span<const uint8_t> file, const FileHeader& header, size_t channels, uint8_t* out) {
  if (!IsDecodedHere(header.format) || (channels != 3 && channels != 4)) {
    throw InvalidArgument(std::string("expected a GIF or BMP image and 3 or 4 channels, got ") +
                          FormatName(header.format) + " and " + std::to_string(channels));
  }
  constexpr uint64_t kMostPixels = uint64_t{1} << 40;  // So that no size overflows, whatever max_pixels is.
  if (header.height != 0 && header.width > kMostPixels / header.height) {
    throw LimitError("expected an image of at most 2^40 pixels, got " + std::to_string(header.width) + " x " +
                     std::to_string(header.height));
  }
  if (header.format == FileFormat::kGif) {
    DecodeGif(file, channels, out);
  } else {
    DecodeBmp(file, channels, out);
  }
}

void Compose(Span<const uint8_t> rgba, const std::array<uint8_t, 3>& background, uint8_t* rgb) {
  for (size_t i = 0; i + 4 <= rgba.size(); i += 4, rgb += 3) {
    const uint32_t alpha = rgba[i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const uint32_t sum = alpha * rgba[i + c] + (255 - alpha) * background[c];
      rgb[c] = static_cast<uint8_t>((sum + 127) / 255);
    }
  }
}

void Orient(const ImageView& image, int orientation, uint8_t* out) {
  const bool known = orientation >= 1 && orientation <= 8;
  const bool swaps = known && orientation >= 5;
  const bool right_to_left = known && (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7);
  const bool upwards = known && (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8);
  const size_t height = swaps ? image.width : image.height, width = swaps ? image.height : image.width;
  const size_t channels = image.channels;
  for (size_t y = 0; y < height; ++y) {
    const size_t from_y = upwards ? height - 1 - y : y;
    uint8_t* to = out + y * width * channels;
    if (!swaps && !right_to_left) {
      std::memcpy(to, image.data + from_y * image.row_stride, width * channels);
      continue;
    }
    for (size_t x = 0; x < width; ++x, to += channels) {
      const size_t from_x = right_to_left ? width - 1 - x : x;
      const size_t row = swaps ? from_x : from_y, column = swaps ? from_y : from_x;
      std::copy_n(image.data + row * image.row_stride + column * channels, channels, to);
    }
  }
}

}  // namespace mmcore::image
