#include "core/image/file/bmp.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/image/file/bmp_rle.h"
#include "core/image/file/color.h"

namespace mmcore::image {
namespace {

constexpr uint32_t kPlain = 0, kRle8 = 1, kRle4 = 2, kMasks = 3;

struct Info {
  uint64_t height = 0, width = 0;
  bool top_down = false;
  uint32_t bits = 0, compression = kPlain;
  uint64_t num_colors = 0;
  size_t color_bytes = 4;
  std::array<uint32_t, 4> masks{};  // Red, green, blue, alpha.
  size_t palette = 0, pixels = 0;   // Where they begin.
};

[[noreturn]] void Refuse(const char* what, uint64_t found) {
  throw DataError(std::string("the BMP image is damaged or of a kind that is not read: ") + what + " is " +
                  std::to_string(found));
}

void ReadCoreHeader(const Bytes& file, Info& info) {
  info.width = file.Little16(18);
  info.height = file.Little16(20);
  info.bits = file.Little16(24);
  info.color_bytes = 3;
}

void ReadInfoHeader(const Bytes& file, size_t header_size, Info& info) {
  info.width = file.Little32(18);
  info.height = file.Little32(22);
  info.top_down = info.height >> 24 == 0xFF;  // Heights of -1 to -2^24.
  if (info.top_down) info.height = (uint64_t{1} << 32) - info.height;
  info.bits = file.Little16(28);
  info.compression = file.Little32(30);
  info.num_colors = file.Little32(46);
  if (info.compression != kMasks) return;
  const size_t num_masks = header_size >= 56 ? 4 : 3;  // After a header of 40 bytes they follow it.
  for (size_t i = 0; i < num_masks; ++i) info.masks[i] = file.Little32(54 + 4 * i);
  if (header_size == 40) info.palette += 12;
}

Info ReadInfo(const Bytes& file) {
  constexpr uint32_t kHeaderSizes[] = {40, 52, 56, 64, 108, 124};
  const uint32_t header_size = file.Little32(14);
  Info info;
  info.palette = size_t{14} + header_size;
  if (header_size == 12) {
    ReadCoreHeader(file, info);
  } else if (std::count(std::begin(kHeaderSizes), std::end(kHeaderSizes), header_size) == 1) {
    file.Get(14, header_size);
    ReadInfoHeader(file, header_size, info);
  } else {
    Refuse("the size of its header", header_size);
  }
  return info;
}

void CheckKind(const Info& info) {
  const uint32_t bits = info.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    Refuse("its number of bits a pixel", bits);
  }
  if (info.compression > kMasks) Refuse("its compression", info.compression);
  if (info.compression == kMasks && bits <= 8) Refuse("its number of bits a pixel with masks", bits);
  if ((info.compression == kRle8 || info.compression == kRle4) && bits > 8) {
    Refuse("its number of bits a pixel with run lengths", bits);
  }
  if (bits <= 8 && info.num_colors > 65536) Refuse("its number of colours", info.num_colors);
}

// After the header: how many colours there are, and where pixels begin.
void Locate(const Bytes& file, Info& info) {
  CheckKind(info);
  if (info.num_colors == 0) info.num_colors = uint64_t{1} << info.bits;
  info.pixels = file.Little32(10);
  const size_t header_end = 14 + size_t{file.Little32(14)};
  const size_t palette_end = info.palette + info.color_bytes * static_cast<size_t>(info.num_colors);
  if (info.pixels == header_end && info.bits <= 8) {  // A mistake of some writers: they forget the palette.
    info.pixels += info.color_bytes * static_cast<size_t>(info.num_colors);
  }
  if (info.pixels == 0) info.pixels = info.bits <= 8 ? palette_end : info.palette;
}

// As in Pillow, indices beyond the palette are black, or greys where the palette is nothing but greys in order.
std::array<Color, 256> Palette(const Bytes& file, const Info& info) {
  std::array<Color, 256> colors = Greys();
  if (info.num_colors <= 2) colors[1] = {255, 255, 255, 255};
  const size_t num_colors = std::min<size_t>(colors.size(), static_cast<size_t>(info.num_colors));
  bool greys = info.num_colors <= colors.size();
  for (size_t i = 0; i < num_colors; ++i) {
    const size_t at = info.palette + i * info.color_bytes;
    if (!file.Has(at, 3)) break;
    const uint8_t* bgr = file.Get(at, 3);
    const Color color = {bgr[2], bgr[1], bgr[0], 255};
    greys = greys && color == colors[i];
    colors[i] = color;
  }
  if (!greys) std::fill(colors.begin() + static_cast<std::ptrdiff_t>(num_colors), colors.end(), kBlack);
  return colors;
}

void WriteIndexed(const std::array<Color, 256>& colors, const uint8_t* indices, size_t width, size_t channels,
                  uint8_t* out) {
  for (size_t x = 0; x < width; ++x) Store(colors[indices[x]], channels, out + x * channels);
}

void Unpack(const uint8_t* row, uint32_t bits, size_t width, uint8_t* indices) {
  const size_t per_byte = 8 / bits, mask = (size_t{1} << bits) - 1;
  for (size_t x = 0; x < width; ++x) {
    const size_t shift = 8 - bits * (x % per_byte + 1);
    indices[x] = static_cast<uint8_t>(row[x / per_byte] >> shift & mask);
  }
}

// How the bytes of a pixel become red, green, blue and alpha.
struct Layout {
  size_t bytes = 3;
  std::array<size_t, 4> at{2, 1, 0, 0};  // Of each channel; alpha only where has_alpha.
  bool has_alpha = false;
  bool green6 = false;  // Of 16 bits: 5, 6, 5 rather than 5, 5, 5.
};

// The byte that a mask of eight bits selects in a little-endian number.
size_t MaskedByte(uint32_t mask) {
  size_t at = 0;
  while (mask > 0xFF) {
    mask >>= 8;
    ++at;
  }
  return at;
}

Layout MaskedLayout(const Info& info) {
  using Masks = std::array<uint32_t, 4>;
  static constexpr Masks kMasks32[] = {
      {0xFF0000, 0xFF00, 0xFF, 0},          {0xFF000000, 0xFF0000, 0xFF00, 0},
      {0xFF000000, 0xFF00, 0xFF, 0},        {0xFF000000, 0xFF0000, 0xFF00, 0xFF},
      {0xFF, 0xFF00, 0xFF0000, 0xFF000000}, {0xFF0000, 0xFF00, 0xFF, 0xFF000000},
      {0xFF000000, 0xFF00, 0xFF, 0xFF0000}, {0, 0, 0, 0}};
  const Masks& masks = info.masks;
  const auto colors_are = [&](uint32_t red, uint32_t green, uint32_t blue) {
    return masks[0] == red && masks[1] == green && masks[2] == blue;
  };
  if (info.bits == 24 && colors_are(0xFF0000, 0xFF00, 0xFF)) return {};
  if (info.bits == 16 && colors_are(0xF800, 0x7E0, 0x1F)) return {2, {}, false, true};
  if (info.bits == 16 && colors_are(0x7C00, 0x3E0, 0x1F)) return {2, {}, false, false};
  if (info.bits == 32 && std::count(std::begin(kMasks32), std::end(kMasks32), masks) == 1) {
    if (masks[0] == 0) return {4, {2, 1, 0, 3}, true, false};
    return {4,
            {MaskedByte(masks[0]), MaskedByte(masks[1]), MaskedByte(masks[2]), MaskedByte(masks[3])},
            masks[3] != 0,
            false};
  }
  throw DataError("the BMP image is damaged or of a kind that is not read: its bit masks are unusual");
}

Layout LayoutOf(const Info& info) {
  if (info.compression == kMasks) return MaskedLayout(info);
  if (info.bits == 16) return {2, {}, false, false};
  return info.bits == 24 ? Layout{} : Layout{4, {2, 1, 0, 0}, false, false};
}

Color Pixel16(const uint8_t* bytes, bool green6) {
  const uint32_t value = bytes[0] | static_cast<uint32_t>(bytes[1]) << 8;
  const auto scaled = [](uint32_t part, uint32_t most) { return static_cast<uint8_t>(part * 255 / most); };
  if (green6) return {scaled(value >> 11, 31), scaled(value >> 5 & 63, 63), scaled(value & 31, 31), 255};
  return {scaled(value >> 10 & 31, 31), scaled(value >> 5 & 31, 31), scaled(value & 31, 31), 255};
}

void WriteColors(const Layout& layout, const uint8_t* row, size_t width, size_t channels, uint8_t* out) {
  for (size_t x = 0; x < width; ++x, row += layout.bytes, out += channels) {
    if (layout.bytes == 2) {
      Store(Pixel16(row, layout.green6), channels, out);
      continue;
    }
    for (size_t c = 0; c < 3; ++c) out[c] = row[layout.at[c]];
    if (channels == 4) out[3] = layout.has_alpha ? row[layout.at[3]] : uint8_t{255};
  }
}

// The row of the file that comes first is the lowest of the picture, unless top_down.
uint8_t* OutRow(const Info& info, size_t y, size_t channels, uint8_t* out) {
  return out + (info.top_down ? y : info.height - 1 - y) * info.width * channels;
}

void DecodePlain(const Bytes& file, const Info& info, size_t channels, uint8_t* out) {
  const size_t width = info.width, row_bytes = (width * info.bits + 7) / 8;
  const size_t stride = (width * info.bits + 31) / 32 * 4;
  const bool indexed = info.bits <= 8;
  const auto colors = indexed ? Palette(file, info) : std::array<Color, 256>{};
  const Layout layout = indexed ? Layout{} : LayoutOf(info);
  std::vector<uint8_t> indices(indexed ? width : 0);
  // All of it is there before anything is written.
  file.Get(info.pixels, stride * (info.height - 1) + row_bytes);
  for (size_t y = 0; y < info.height; ++y) {
    const uint8_t* row = file.Get(info.pixels + y * stride, row_bytes);
    uint8_t* to = OutRow(info, y, channels, out);
    if (!indexed) {
      WriteColors(layout, row, width, channels, to);
      continue;
    }
    Unpack(row, info.bits, width, indices.data());
    WriteIndexed(colors, indices.data(), width, channels, to);
  }
}

void DecodeRuns(const Bytes& file, const Info& info, size_t channels, uint8_t* out) {
  const auto colors = Palette(file, info);
  const size_t num_pixels = info.height * info.width;
  // The indices lie at the end of the output, which is larger: each is read before its place is written over.
  uint8_t* indices = out + num_pixels * (channels - 1);
  ReadBmpRuns(file, info.pixels, {info.height, info.width, info.compression == kRle4}, indices);
  for (size_t i = 0; i < num_pixels; ++i) Store(colors[indices[i]], channels, out + i * channels);
  if (info.top_down) return;
  const size_t row_bytes = info.width * channels;
  for (size_t y = 0; y < info.height / 2; ++y) {
    uint8_t* row = out + y * row_bytes;
    std::swap_ranges(row, row + row_bytes, out + (info.height - 1 - y) * row_bytes);
  }
}

}  // namespace

void ReadBmpHeader(const Bytes& file, FileHeader& header) {
  const Info info = ReadInfo(file);
  header.height = info.height;
  header.width = info.width;
  header.complete = true;
}

void DecodeBmp(const Bytes& file, size_t channels, uint8_t* out) {
  Info info = ReadInfo(file);
  Locate(file, info);
  if (info.compression == kRle8 || info.compression == kRle4) {
    DecodeRuns(file, info, channels, out);
  } else {
    DecodePlain(file, info, channels, out);
  }
}

}  // namespace mmcore::image
