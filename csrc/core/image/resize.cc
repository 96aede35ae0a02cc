#include "core/image/resize.h"

#include <string>

#include "core/base/buffer.h"
#include "core/base/errors.h"
#include "core/image/alpha.h"
#include "core/image/resample.h"
#include "core/image/sink.h"

namespace mmcore::image {
namespace {

std::string Size(size_t height, size_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

bool IsCopy(const ResizeItem& item) {
  return item.full_height == item.image.height && item.full_width == item.image.width && item.box.left == 0 &&
         item.box.top == 0 && item.box.right == static_cast<float>(item.image.width) &&
         item.box.bottom == static_cast<float>(item.image.height);
}

void ResampleBytes(const ResizeItem& item, const ResizeOptions& options, uint8_t* out) {
  ByteSink sink(out, options.width * item.image.channels);
  Resample(item, options, sink);
}

void CheckBatch(Span<const ResizeItem> items, const ResizeOptions& options, size_t channels) {
  for (size_t i = 0; i < items.size(); ++i) {
    try {
      CheckItem(items[i], options);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument("image " + std::to_string(i) + ": " + error.what());
    }
    if (items[i].image.channels != channels) {
      throw InvalidArgument("image " + std::to_string(i) + ": this batch takes images of " +
                            std::to_string(channels) + " channels, as many as mean and std have, got " +
                            std::to_string(items[i].image.channels));
    }
  }
}

}  // namespace

void CheckItem(const ResizeItem& item, const ResizeOptions& options) {
  const ImageView& image = item.image;
  const auto side = [](size_t n) { return n >= 1 && n <= kMaxSide; };
  if (!side(image.height) || !side(image.width) || image.channels < 1 || image.channels > 4) {
    throw InvalidArgument("an image must have 1 to 2^24 rows and columns of 1 to 4 channels, got " +
                          Size(image.height, image.width) + " x " + std::to_string(image.channels));
  }
  if (!side(options.height) || !side(options.width) || !side(item.full_height) || !side(item.full_width)) {
    throw InvalidArgument("an output size must be 1 to 2^24, got " + Size(options.height, options.width) +
                          " of " + Size(item.full_height, item.full_width));
  }
  const Box& box = item.box;
  const bool inside = box.left >= 0 && box.top >= 0 && box.right <= static_cast<float>(image.width) &&
                      box.bottom <= static_cast<float>(image.height) && box.left < box.right &&
                      box.top < box.bottom;
  if (!inside) {
    throw InvalidArgument(
        "a box must be (left, top, right, bottom) with left < right and top < bottom inside the " +
        Size(image.height, image.width) + " image, got (" + std::to_string(box.left) + ", " +
        std::to_string(box.top) + ", " + std::to_string(box.right) + ", " + std::to_string(box.bottom) + ")");
  }
  if (item.top > item.full_height || options.height > item.full_height - item.top ||
      item.left > item.full_width || options.width > item.full_width - item.left) {
    throw InvalidArgument("a window of " + Size(options.height, options.width) + " at row " +
                          std::to_string(item.top) + ", column " + std::to_string(item.left) +
                          " does not fit into the resized image of " +
                          Size(item.full_height, item.full_width));
  }
}

ResizeItem WholeImage(const ImageView& image, size_t height, size_t width) {
  ResizeItem item;
  item.image = image;
  item.box = {0, 0, static_cast<float>(image.width), static_cast<float>(image.height)};
  item.full_height = height;
  item.full_width = width;
  return item;
}

void Resize(const ResizeItem& item, const ResizeOptions& options, uint8_t* out) {
  CheckItem(item, options);
  const bool has_alpha = item.image.channels % 2 == 0;
  if (!has_alpha || IsCopy(item) || options.filter == Filter::kNearest) return ResampleBytes(item, options, out);
  ResizeItem premultiplied = item;
  const Buffer<uint8_t> pixels = Premultiply(item.image);
  premultiplied.image.data = pixels.data();
  premultiplied.image.row_stride = item.image.row_bytes();
  ResampleBytes(premultiplied, options, out);
  Unpremultiply(out, options.height * options.width, item.image.channels);
}

void ResizeBatch(Span<const ResizeItem> items, const ResizeOptions& options, const Normalization& normalization,
                 const BatchFormat& format, void* out, Executor& executor) {
  CheckBatch(items, options, normalization.channels);
  const BatchWriter writer(options, normalization, format);
  executor.ParallelFor(items.size(), [&](size_t i) {
    BatchSink sink(writer, static_cast<uint8_t*>(out) + i * writer.image_bytes());
    Resample(items[i], options, sink);
  });
}

}  // namespace mmcore::image
