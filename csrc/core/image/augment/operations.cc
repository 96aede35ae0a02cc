#include "core/image/augment/operations.h"

#include <cmath>
#include <cstring>
#include <string>

#include "core/base/errors.h"
#include "core/image/augment/color.h"
#include "core/image/augment/geometry.h"
#include "core/image/resize.h"

namespace mmcore::image {

void ApplyOperation(Operation operation, double value, uint32_t fill, Canvas& canvas, Isa isa) {
  switch (operation) {
    case Operation::kIdentity: return;
    case Operation::kAutoContrast: return AutoContrast(canvas);
    case Operation::kEqualize: return Equalize(canvas);
    case Operation::kInvert: return InvertColors(canvas, isa);
    case Operation::kRotate: return Rotate(canvas, value, fill);
    case Operation::kPosterize: return Posterize(canvas, static_cast<int>(value), isa);
    case Operation::kSolarize: return Solarize(canvas, value, isa);
    case Operation::kColor: return AdjustSaturation(canvas, value, isa);
    case Operation::kContrast: return AdjustContrast(canvas, value, isa);
    case Operation::kBrightness: return AdjustBrightness(canvas, value, isa);
    case Operation::kSharpness: return AdjustSharpness(canvas, value, isa);
    case Operation::kShearX: return Affine(canvas, {1, value, 0, 0, 1, 0}, fill);
    case Operation::kShearY: return Affine(canvas, {1, 0, 0, value, 1, 0}, fill);
    case Operation::kTranslateX: return Affine(canvas, {1, 0, value, 0, 1, 0}, fill);
    case Operation::kTranslateY: return Affine(canvas, {1, 0, 0, 0, 1, value}, fill);
    case Operation::kGrayscale: return ToGray(canvas, isa);
    case Operation::kHue: return AdjustHue(canvas, value, isa);
    case Operation::kFlip: return Mirror(canvas);
  }
}

double ValueOf(Operation operation, double share, bool mirrored, size_t height, size_t width) {
  const double sign = mirrored ? -1.0 : 1.0;
  switch (operation) {
    case Operation::kRotate: return sign * 30.0 * share;
    case Operation::kPosterize: return 8.0 - std::nearbyint(4.0 * share);
    case Operation::kSolarize: return 255.0 * (1.0 - share);
    case Operation::kColor:
    case Operation::kContrast:
    case Operation::kBrightness:
    case Operation::kSharpness: return 1.0 + sign * 0.9 * share;
    case Operation::kShearX:
    case Operation::kShearY: return sign * 0.3 * share;
    case Operation::kTranslateX: return sign * std::floor(150.0 / 331.0 * static_cast<double>(width) * share);
    case Operation::kTranslateY: return sign * std::floor(150.0 / 331.0 * static_cast<double>(height) * share);
    default: return 0.0;
  }
}

namespace {

void Check(const ImageView& image, int operation, double value) {
  const auto side = [](size_t n) { return n >= 1 && n <= kMaxSide; };
  if (image.channels != 3 || !side(image.height) || !side(image.width)) {
    throw InvalidArgument("an image must have 1 to 2^24 rows and columns of 3 channels, got " +
                          std::to_string(image.height) + " x " + std::to_string(image.width) + " x " +
                          std::to_string(image.channels));
  }
  if (operation < 0 || operation >= kNumOperations) {
    throw InvalidArgument("an operation must be 0 to 17, got " + std::to_string(operation));
  }
  const bool bits = static_cast<Operation>(operation) != Operation::kPosterize || (value >= 1 && value <= 8);
  if (!(std::fabs(value) <= 1e6) || !bits) {
    throw InvalidArgument("the value of an operation must be -1e6 to 1e6, of posterize 1 to 8 bits, got " +
                          std::to_string(value));
  }
}

}  // namespace

void Operate(const ImageView& image, int operation, double value, uint32_t fill, Isa isa, uint8_t* out) {
  Check(image, operation, value);
  for (size_t y = 0; y < image.height; ++y) {
    std::memcpy(out + y * image.row_bytes(), image.data + y * image.row_stride, image.row_bytes());
  }
  Canvas canvas;
  canvas.Reset(image.height, image.width);
  Unpack(out, canvas);
  ApplyOperation(static_cast<Operation>(operation), value, fill & 0xffffff, canvas, isa);
  Pack(canvas.pixels.data(), canvas.size(), out);
}

}  // namespace mmcore::image
