// A colour of a palette, and where it goes.
#ifndef MMCORE_CORE_IMAGE_FILE_COLOR_H_
#define MMCORE_CORE_IMAGE_FILE_COLOR_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace mmcore::image {

using Color = std::array<uint8_t, 4>;  // Red, green, blue, alpha.

constexpr Color kBlack = {0, 0, 0, 255};

// Index 0 to 255 as a shade: what an image without a palette means.
inline std::array<Color, 256> Greys() {
  std::array<Color, 256> colors;
  for (size_t i = 0; i < colors.size(); ++i) {
    const auto shade = static_cast<uint8_t>(i);
    colors[i] = {shade, shade, shade, 255};
  }
  return colors;
}

// Stores 3 or 4 bytes one by one: a copy of as many bytes as `channels` says would be a call for each pixel.
inline void Store(const Color& color, size_t channels, uint8_t* to) {
  to[0] = color[0];
  to[1] = color[1];
  to[2] = color[2];
  if (channels == 4) to[3] = color[3];
}

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_COLOR_H_
