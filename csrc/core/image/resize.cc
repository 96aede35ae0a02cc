#include "core/image/resize.h"

#include <cstring>
#include <string>

#include "core/base/buffer.h"
#include "core/base/errors.h"
#include "core/image/alpha.h"
#include "core/image/kernels.h"
#include "core/image/resample.h"

namespace mmcore::image {
namespace {

std::string Size(size_t height, size_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

void Check(const ResizeItem& item, const ResizeOptions& options) {
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

bool IsCopy(const ResizeItem& item) {
  return item.full_height == item.image.height && item.full_width == item.image.width && item.box.left == 0 &&
         item.box.top == 0 && item.box.right == static_cast<float>(item.image.width) &&
         item.box.bottom == static_cast<float>(item.image.height);
}

class ByteSink final : public RowSink {
 public:
  ByteSink(uint8_t* out, size_t row_bytes) : out_(out), row_bytes_(row_bytes) {}
  void Row(size_t y, const uint8_t* row) override { std::memcpy(out_ + y * row_bytes_, row, row_bytes_); }

 private:
  uint8_t* out_;
  size_t row_bytes_;
};

class FloatSink final : public RowSink {
 public:
  FloatSink(float* out, size_t row_size, const Normalization& normalization, const Kernels& kernels)
      : out_(out), row_size_(row_size), normalization_(normalization), kernels_(kernels) {}
  void Row(size_t y, const uint8_t* row) override {
    kernels_.normalize(row, row_size_, normalization_, out_ + y * row_size_);
  }

 private:
  float* out_;
  size_t row_size_;
  const Normalization& normalization_;
  const Kernels& kernels_;
};

void ResampleBytes(const ResizeItem& item, const ResizeOptions& options, uint8_t* out) {
  ByteSink sink(out, options.width * item.image.channels);
  Resample(item, options, sink);
}

void CheckBatch(Span<const ResizeItem> items, const ResizeOptions& options) {
  for (size_t i = 0; i < items.size(); ++i) {
    try {
      Check(items[i], options);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument("image " + std::to_string(i) + ": " + error.what());
    }
    if (items[i].image.channels != 3) {
      throw InvalidArgument("image " + std::to_string(i) + ": a batch takes images of 3 channels, got " +
                            std::to_string(items[i].image.channels));
    }
  }
}

}  // namespace

ResizeItem WholeImage(const ImageView& image, size_t height, size_t width) {
  ResizeItem item;
  item.image = image;
  item.box = {0, 0, static_cast<float>(image.width), static_cast<float>(image.height)};
  item.full_height = height;
  item.full_width = width;
  return item;
}

void Resize(const ResizeItem& item, const ResizeOptions& options, uint8_t* out) {
  Check(item, options);
  if (item.image.channels % 2 == 1 || IsCopy(item)) return ResampleBytes(item, options, out);
  ResizeItem premultiplied = item;
  const Buffer<uint8_t> pixels = Premultiply(item.image);
  premultiplied.image.data = pixels.data();
  premultiplied.image.row_stride = item.image.row_bytes();
  ResampleBytes(premultiplied, options, out);
  Unpremultiply(out, options.height * options.width, item.image.channels);
}

void ResizeBatch(Span<const ResizeItem> items, const ResizeOptions& options, uint8_t* out,
                 Executor& executor) {
  CheckBatch(items, options);
  const size_t image_size = options.height * options.width * 3;
  executor.ParallelFor(items.size(),
                       [&](size_t i) { ResampleBytes(items[i], options, out + i * image_size); });
}

void ResizeNormalizeBatch(Span<const ResizeItem> items, const ResizeOptions& options,
                          const Normalization& normalization, float* out, Executor& executor) {
  CheckBatch(items, options);
  const Kernels& kernels = KernelsFor(options.isa);
  const size_t row_size = options.width * 3;
  executor.ParallelFor(items.size(), [&](size_t i) {
    FloatSink sink(out + i * options.height * row_size, row_size, normalization, kernels);
    Resample(items[i], options, sink);
  });
}

}  // namespace mmcore::image
