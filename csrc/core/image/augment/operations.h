// The operations of RandAugment by number, each with the value that a magnitude stands for.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_OPERATIONS_H_
#define MMCORE_CORE_IMAGE_AUGMENT_OPERATIONS_H_

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/image/augment/canvas.h"
#include "core/image/image.h"

namespace mmcore::image {

// The numbers are part of saved specifications and the order is that of mmcore/image/augment/steps.py.
enum class Operation {
  kIdentity,
  kAutoContrast,
  kEqualize,
  kInvert,
  kRotate,
  kPosterize,
  kSolarize,
  kColor,
  kContrast,
  kBrightness,
  kSharpness,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kGrayscale,  // These three are not RandAugment's.
  kHue,
  kFlip,
};
constexpr int kNumRandAugment = 15;
constexpr int kNumOperations = 18;

// `value` is a factor, an angle in degrees, a number of bits, a threshold, a share or a number of pixels.
void ApplyOperation(Operation operation, double value, uint32_t fill, Canvas& canvas, Isa isa);

// What a share of the greatest magnitude means for an image of this size; negative where `mirrored` and the operation
// has two directions.
double ValueOf(Operation operation, double share, bool mirrored, size_t height, size_t width);

// One operation on one image of three channels; `out` is as large as it without gaps between rows.
// Throws InvalidArgument for other images and for values out of bounds.
MMCORE_API void Operate(const ImageView& image, int operation, double value, uint32_t fill, Isa isa, uint8_t* out);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_OPERATIONS_H_
