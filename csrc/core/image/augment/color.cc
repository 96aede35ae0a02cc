#include "core/image/augment/color.h"

#include <algorithm>
#include <cmath>

#include "core/image/augment/color_kernels.h"

namespace mmcore::image {

void AdjustBrightness(Canvas& canvas, double factor, Isa isa) {
  ColorKernelsFor(isa).blend_level(canvas.pixels.data(), canvas.size(), 0, static_cast<float>(factor));
}

void AdjustContrast(Canvas& canvas, double factor, Isa isa) {
  const ColorKernels& kernels = ColorKernelsFor(isa);
  const uint64_t sum = kernels.sum_luma(canvas.pixels.data(), canvas.size());
  const double mean = static_cast<double>(sum) / static_cast<double>(canvas.size());
  kernels.blend_level(canvas.pixels.data(), canvas.size(), static_cast<int32_t>(mean + 0.5),
                      static_cast<float>(factor));
}

void AdjustSaturation(Canvas& canvas, double factor, Isa isa) {
  ColorKernelsFor(isa).blend_luma(canvas.pixels.data(), canvas.size(), static_cast<float>(factor));
}

// Pixels on the border are not smoothed, so that they stay whatever the factor.
void AdjustSharpness(Canvas& canvas, double factor, Isa isa) {
  const size_t height = canvas.height, width = canvas.width;
  if (height < 3 || width < 3) return;
  const ColorKernels& kernels = ColorKernelsFor(isa);
  uint32_t* out = canvas.spare.data();
  std::copy_n(canvas.row(0), width, out);
  for (size_t y = 1; y + 1 < height; ++y) {
    uint32_t* out_row = out + y * width;
    const uint32_t* row = canvas.row(y);
    kernels.blend_smooth(canvas.row(y - 1), row, canvas.row(y + 1), width - 2, static_cast<float>(factor), out_row);
    out_row[0] = row[0];
    out_row[width - 1] = row[width - 1];
  }
  std::copy_n(canvas.row(height - 1), width, out + (height - 1) * width);
  canvas.Swap();
}

void AdjustHue(Canvas& canvas, double turns, Isa isa) {
  const auto shift = static_cast<int32_t>(turns * 255.0);
  ColorKernelsFor(isa).shift_hue(canvas.pixels.data(), canvas.size(), shift & 255);
}

void ToGray(Canvas& canvas, Isa isa) {
  ColorKernelsFor(isa).gray(canvas.pixels.data(), canvas.size());
}

void InvertColors(Canvas& canvas, Isa isa) {
  ColorKernelsFor(isa).invert(canvas.pixels.data(), canvas.size());
}

void Posterize(Canvas& canvas, int bits, Isa isa) {
  const uint32_t kept = 256 - (uint32_t{1} << (8 - bits));
  ColorKernelsFor(isa).bits_and(canvas.pixels.data(), canvas.size(), Pixel(kept, kept, kept));
}

void Solarize(Canvas& canvas, double threshold, Isa isa) {
  ColorKernelsFor(isa).solarize(canvas.pixels.data(), canvas.size(), static_cast<int32_t>(std::ceil(threshold)));
}

}  // namespace mmcore::image
