// Antialiased resize of 8-bit images, equal to Pillow's byte for byte, alone or in batches, and the fused
// resize, crop, flip and normalisation that model inputs are made with.
#ifndef MMCORE_CORE_IMAGE_RESIZE_H_
#define MMCORE_CORE_IMAGE_RESIZE_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/image/image.h"
#include "core/image/normalization.h"

namespace mmcore::image {

constexpr size_t kMaxSide = size_t{1} << 24;

// What becomes of one image: `box` of it is resized to full_height x full_width, and of that the window that
// begins at (top, left) is kept, mirrored left to right where `flip` is set. Only the window is computed.
struct ResizeItem {
  ImageView image;
  Box box;
  size_t full_height = 0;
  size_t full_width = 0;
  size_t top = 0;
  size_t left = 0;
  bool flip = false;
};

// The whole of `image` at height x width.
MMCORE_API ResizeItem WholeImage(const ImageView& image, size_t height, size_t width);

// The size of every window, the same for all items of a batch.
struct ResizeOptions {
  size_t height = 0;
  size_t width = 0;
  Filter filter = Filter::kBicubic;
  Isa isa = ActiveIsa();
};

enum class DType { kUint8, kFloat32, kBfloat16, kFloat16 };
enum class Layout { kNhwc, kNchw };

MMCORE_API size_t ElementSize(DType dtype);

// How a batch lies in memory. kUint8 is resized and not normalised; the others are.
struct BatchFormat {
  DType dtype = DType::kFloat32;
  Layout layout = Layout::kNhwc;
};

// Writes height x width x channels bytes to `out`. Two and four channels end in alpha: as in Pillow they are
// resized with premultiplied colours, unless nothing changes size or the filter is kNearest.
// Throws InvalidArgument for sizes, channels, boxes or windows that do not fit.
MMCORE_API void Resize(const ResizeItem& item, const ResizeOptions& options, uint8_t* out);

// Item i goes to the i-th part of `out`, [height, width, C] or [C, height, width] elements each. All items have the
// C = normalization.channels channels. Bit-equal to Resize followed by a table of `normalization`.
// Throws InvalidArgument naming the item's index before anything is written.
MMCORE_API void ResizeBatch(Span<const ResizeItem> items, const ResizeOptions& options,
                            const Normalization& normalization, const BatchFormat& format, void* out,
                            Executor& executor);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_RESIZE_H_
