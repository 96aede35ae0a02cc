#include "core/image/patches.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/image/kernels.h"
#include "core/image/resample.h"
#include "core/image/sink.h"

namespace mmcore::image {
namespace {

// The constants of the published search: scales from kSmallest, in which no image is larger than a patch, to kLargest.
constexpr double kPrecision = 1e-5;
constexpr double kSmallest = kPrecision / 10;
constexpr double kLargest = 100.0;
constexpr size_t kMostPatches = (size_t{1} << 31) - 1;

double PatchesAlong(double scale, size_t side, size_t patch_size) {
  return std::max(1.0, std::ceil(static_cast<double>(side) * scale / static_cast<double>(patch_size)));
}

// Distributes finished rows over the patches of one image.
class PatchSink final : public RowSink {
 public:
  PatchSink(const PatchOptions& options, const Normalization& normalization, size_t columns, uint8_t* out)
      : options_(options),
        normalization_(normalization),
        kernels_(KernelsFor(options.isa)),
        columns_(columns),
        line_(options.patch_size * normalization.channels),
        element_size_(ElementSize(options.dtype)),
        out_(out) {}

  void Row(size_t y, const uint8_t* row) override {
    const size_t size = options_.patch_size;
    const size_t patch_bytes = size * line_ * element_size_;
    uint8_t* out = out_ + y / size * columns_ * patch_bytes + y % size * line_ * element_size_;
    for (size_t x = 0; x < columns_; ++x) {
      ConvertRow(row + x * line_, line_, options_.dtype, kernels_, normalization_, out + x * patch_bytes);
    }
  }

 private:
  const PatchOptions& options_;
  const Normalization& normalization_;
  const Kernels& kernels_;
  const size_t columns_;
  const size_t line_;  // Numbers in a row of a patch.
  const size_t element_size_;
  uint8_t* const out_;
};

// The grid of each image, and that every one of them can be made.
std::vector<PatchGrid> Grids(Span<const ImageView> images, const PatchOptions& options, size_t channels) {
  std::vector<PatchGrid> grids(images.size());
  for (size_t i = 0; i < images.size(); ++i) {
    try {
      const ImageView& image = images[i];
      const PatchGrid grid = PatchGridOf(image.height, image.width, options.patch_size, options.max_patches);
      const size_t height = grid.rows * options.patch_size, width = grid.columns * options.patch_size;
      CheckItem(WholeImage(image, height, width), {height, width, options.filter, options.isa});
      if (image.channels != channels) {
        throw InvalidArgument("expected " + std::to_string(channels) + " channels, as many as mean and std have, got " +
                              std::to_string(image.channels));
      }
      grids[i] = grid;
    } catch (const InvalidArgument& error) {
      throw InvalidArgument("image " + std::to_string(i) + ": " + error.what());
    }
  }
  return grids;
}

}  // namespace

PatchGrid PatchGridOf(size_t height, size_t width, size_t patch_size, size_t max_patches) {
  const auto side = [](size_t n) { return n >= 1 && n <= kMaxSide; };
  if (!side(height) || !side(width) || !side(patch_size) || max_patches < 1 || max_patches > kMostPatches) {
    throw InvalidArgument("height, width and patch_size must be 1 to 2^24 and max_patches 1 to 2^31 - 1, got " +
                          std::to_string(height) + ", " + std::to_string(width) + ", " +
                          std::to_string(patch_size) + " and " + std::to_string(max_patches));
  }
  const auto rows = [&](double scale) { return PatchesAlong(scale, height, patch_size); };
  const auto columns = [&](double scale) { return PatchesAlong(scale, width, patch_size); };
  const auto most = static_cast<double>(max_patches);
  double low = kSmallest, high = kLargest;
  while (high - low >= kPrecision) {
    const double scale = (low + high) / 2;
    (rows(scale) * columns(scale) <= most ? low : high) = scale;
  }
  if (rows(low) * columns(low) > most) {
    throw InvalidArgument("an image of " + std::to_string(height) + " x " + std::to_string(width) +
                          " does not become " + std::to_string(max_patches) + " patches or fewer of " +
                          std::to_string(patch_size) + " x " + std::to_string(patch_size) +
                          " at any scale; raise max_patches");
  }
  return {static_cast<size_t>(rows(low)), static_cast<size_t>(columns(low))};
}

size_t PatchBytes(const PatchOptions& options, size_t channels) {
  const size_t size = options.patch_size;
  const size_t most = options.max_patches;
  constexpr size_t kMostBytes = std::numeric_limits<size_t>::max() / 2;
  if (size < 1 || size > kMaxSide || most < 1 || most > kMostPatches ||
      most > kMostBytes / (size * size * channels * ElementSize(options.dtype))) {
    throw InvalidArgument("patch_size must be 1 to 2^24 and max_patches 1 to 2^31 - 1, and both not too large, got " +
                          std::to_string(size) + " and " + std::to_string(most));
  }
  return options.max_patches * size * size * channels * ElementSize(options.dtype);
}

void PatchBatch(Span<const ImageView> images, const PatchOptions& options, const Normalization& normalization,
                void* out, int32_t* shapes, Executor& executor) {
  const size_t part = PatchBytes(options, normalization.channels);
  const std::vector<PatchGrid> grids = Grids(images, options, normalization.channels);
  executor.ParallelFor(images.size(), [&](size_t i) {
    const size_t height = grids[i].rows * options.patch_size, width = grids[i].columns * options.patch_size;
    uint8_t* begin = static_cast<uint8_t*>(out) + i * part;
    PatchSink sink(options, normalization, grids[i].columns, begin);
    Resample(WholeImage(images[i], height, width), {height, width, options.filter, options.isa}, sink);
    const size_t used = height * width * normalization.channels * ElementSize(options.dtype);
    std::memset(begin + used, 0, part - used);
    shapes[2 * i] = static_cast<int32_t>(grids[i].rows);
    shapes[2 * i + 1] = static_cast<int32_t>(grids[i].columns);
  });
}

}  // namespace mmcore::image
