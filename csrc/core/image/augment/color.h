// Operations on a whole picture: what Pillow's ImageEnhance and ImageOps do to an RGB image, byte for byte.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_COLOR_H_
#define MMCORE_CORE_IMAGE_AUGMENT_COLOR_H_

#include "core/base/cpu.h"
#include "core/image/augment/canvas.h"

namespace mmcore::image {

// ImageEnhance: 1 leaves the picture, 0 gives black, the mean grey, grey, or the smoothed picture.
void AdjustBrightness(Canvas& canvas, double factor, Isa isa);
void AdjustContrast(Canvas& canvas, double factor, Isa isa);
void AdjustSaturation(Canvas& canvas, double factor, Isa isa);  // ImageEnhance.Color
void AdjustSharpness(Canvas& canvas, double factor, Isa isa);

// torchvision's adjust_hue on a Pillow image: the "H" of "HSV" plus the whole part of 255 turns, modulo 256.
void AdjustHue(Canvas& canvas, double turns, Isa isa);

// ImageOps.
void ToGray(Canvas& canvas, Isa isa);
void InvertColors(Canvas& canvas, Isa isa);
void Posterize(Canvas& canvas, int bits, Isa isa);
void Solarize(Canvas& canvas, double threshold, Isa isa);
void AutoContrast(Canvas& canvas);
void Equalize(Canvas& canvas);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_COLOR_H_
