#include "core/image/file/gif.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/image/file/color.h"
#include "core/image/file/lzw.h"

namespace mmcore::image {
namespace {

constexpr size_t kNone = ~size_t{0};

struct Frame {
  size_t canvas_height = 0, canvas_width = 0;
  size_t left = 0, top = 0, height = 0, width = 0;
  bool interlaced = false;
  size_t transparent = kNone;
  size_t palette = kNone, palette_size = 0;  // Where the colours are; kNone: shades of grey.
  size_t code_bits = 0, data = 0;            // Where the first sub-block of codes begins.
};

// Notes where a palette lies, if `flags` say that there is one at `at`, and returns what follows it.
size_t NotePalette(size_t at, uint8_t flags, Frame& frame) {
  if ((flags & 0x80) == 0) return at;
  frame.palette = at;
  frame.palette_size = size_t{2} << (flags & 7);
  return at + 3 * frame.palette_size;
}

size_t SkipSubBlocks(const Bytes& file, size_t at) {
  while (const size_t size = file.Byte(at)) at += 1 + size;
  return at + 1;
}

size_t ReadExtension(const Bytes& file, size_t at, Frame& frame) {
  constexpr uint8_t kGraphicControl = 0xF9;
  if (file.Byte(at) == kGraphicControl && file.Byte(at + 1) >= 4 && (file.Byte(at + 2) & 1) != 0) {
    frame.transparent = file.Byte(at + 5);
  }
  return SkipSubBlocks(file, at + 1);
}

void ReadImageDescriptor(const Bytes& file, size_t at, Frame& frame) {
  frame.left = file.Little16(at);
  frame.top = file.Little16(at + 2);
  frame.width = file.Little16(at + 4);
  frame.height = file.Little16(at + 6);
  const uint8_t flags = file.Byte(at + 8);
  frame.interlaced = (flags & 0x40) != 0;
  at = NotePalette(at + 9, flags, frame);
  frame.code_bits = file.Byte(at);
  frame.data = at + 1;
  frame.canvas_width = std::max(frame.canvas_width, frame.left + frame.width);
  frame.canvas_height = std::max(frame.canvas_height, frame.top + frame.height);
}

Frame FirstFrame(const Bytes& file) {
  Frame frame;
  frame.canvas_width = file.Little16(6);
  frame.canvas_height = file.Little16(8);
  size_t at = NotePalette(13, file.Byte(10), frame);
  for (;;) {
    const uint8_t kind = file.Byte(at++);
    if (kind == '!') {
      at = ReadExtension(file, at, frame);
    } else if (kind == ',') {
      ReadImageDescriptor(file, at, frame);
      return frame;
    } else if (kind == ';') {
      throw DataError("the GIF image is damaged: it ends before its first frame");
    }  // Anything else is skipped, as Pillow does.
  }
}

// As in Pillow, indices beyond the palette are black, or greys where the palette is nothing but greys in order.
std::array<Color, 256> Colors(const Bytes& file, const Frame& frame) {
  std::array<Color, 256> colors = Greys();
  bool greys = true;
  for (size_t i = 0; i < frame.palette_size; ++i) {
    const uint8_t* rgb = file.Get(frame.palette + 3 * i, 3);
    const Color color = {rgb[0], rgb[1], rgb[2], 255};
    greys = greys && color == colors[i];
    colors[i] = color;
  }
  if (!greys) std::fill(colors.begin() + static_cast<std::ptrdiff_t>(frame.palette_size), colors.end(), kBlack);
  if (frame.transparent != kNone) colors[frame.transparent][3] = 0;
  return colors;
}

// Puts the frame's pixels, which come row by row, where they belong on the canvas.
class Canvas {
 public:
  Canvas(const Bytes& file, const Frame& frame, size_t channels, uint8_t* out)
      : frame_(frame), colors_(Colors(file, frame)), channels_(channels), out_(out), pixel_(RowStart()) {}

  // Everything but the frame.
  void FillAround() {
    const size_t width = frame_.canvas_width, right = frame_.left + frame_.width;
    if (frame_.width == width && frame_.height == frame_.canvas_height) return;
    const Color color = colors_[frame_.transparent == kNone ? 0 : frame_.transparent];
    std::vector<uint8_t> filled(width * channels_);
    for (size_t x = 0; x < width; ++x) Store(color, channels_, filled.data() + x * channels_);
    for (size_t y = 0; y < frame_.canvas_height; ++y) {
      const bool beside = y >= frame_.top && y < frame_.top + frame_.height;
      uint8_t* row = out_ + y * width * channels_;
      std::memcpy(row, filled.data(), (beside ? frame_.left : width) * channels_);
      if (beside) std::memcpy(row + right * channels_, filled.data(), (width - right) * channels_);
    }
  }

  bool full() const { return y_ >= frame_.height; }

  void Put(uint8_t index) {
    Store(colors_[index], channels_, pixel_);
    pixel_ += channels_;
    if (++x_ == frame_.width) NextRow();
  }

 private:
  uint8_t* RowStart() {
    return out_ + ((frame_.top + y_) * frame_.canvas_width + frame_.left) * channels_;
  }

  // Interlaced rows come as 0, 8, 16, ..., then 4, 12, ..., then 2, 6, ..., then 1, 3, ...
  void NextRow() {
    constexpr size_t kStart[] = {0, 4, 2, 1}, kStep[] = {8, 8, 4, 2};
    x_ = 0;
    y_ += frame_.interlaced ? kStep[pass_] : 1;
    while (frame_.interlaced && y_ >= frame_.height && pass_ < 3) y_ = kStart[++pass_];
    if (!full()) pixel_ = RowStart();
  }

  const Frame& frame_;
  const std::array<Color, 256> colors_;
  const size_t channels_;
  uint8_t* const out_;
  size_t x_ = 0, y_ = 0, pass_ = 0;
  uint8_t* pixel_;
};

}  // namespace

void ReadGifHeader(const Bytes& file, FileHeader& header) {
  const Frame frame = FirstFrame(file);
  header.height = frame.canvas_height;
  header.width = frame.canvas_width;
  header.complete = true;
  if (frame.height == 0 || frame.width == 0) {
    throw DataError("the GIF image is damaged: its first frame has " + std::to_string(frame.width) + " x " +
                    std::to_string(frame.height) + " pixels");
  }
}

void DecodeGif(const Bytes& file, size_t channels, uint8_t* out) {
  const Frame frame = FirstFrame(file);
  Canvas canvas(file, frame, channels, out);
  LzwReader codes(file, frame.data, frame.code_bits);
  while (!canvas.full()) {
    for (const uint8_t index : codes.Next()) {
      if (canvas.full()) break;
      canvas.Put(index);
    }
  }
  canvas.FillAround();  // Last: a damaged frame does not cost the time of a large canvas.
}

}  // namespace mmcore::image
