// The loops over pixels that mix or change colours, one set for each instruction set, all giving the same bytes. Those
// are Pillow's: of ImageEnhance and ImageOps, and of its conversions to "L" and "HSV".
#ifndef MMCORE_CORE_IMAGE_AUGMENT_COLOR_KERNELS_H_
#define MMCORE_CORE_IMAGE_AUGMENT_COLOR_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"

namespace mmcore::image {

struct ColorKernels {
  // Pixels become level + factor (pixel - level): brightness has level 0, contrast the mean luma.
  void (*blend_level)(uint32_t* pixels, size_t count, int32_t level, float factor);
  // The same with each pixel's own luma: saturation.
  void (*blend_luma)(uint32_t* pixels, size_t count, float factor);
  uint64_t (*sum_luma)(const uint32_t* pixels, size_t count);
  void (*gray)(uint32_t* pixels, size_t count);
  void (*invert)(uint32_t* pixels, size_t count);
  void (*bits_and)(uint32_t* pixels, size_t count, uint32_t bits);
  // Values of at least `threshold` are inverted.
  void (*solarize)(uint32_t* pixels, size_t count, int32_t threshold);
  // `shift` of 256 is a full turn.
  void (*shift_hue)(uint32_t* pixels, size_t count, int32_t shift);
  // out[1 .. count] = smooth + factor (row - smooth), with the 3 x 3 mean that counts the centre five times.
  void (*blend_smooth)(const uint32_t* above, const uint32_t* row, const uint32_t* below, size_t count, float factor,
                       uint32_t* out);
};

const ColorKernels& ColorKernelsFor(Isa isa);

const ColorKernels& ScalarColorKernels();
#if MMCORE_X86
const ColorKernels& Avx2ColorKernels();
const ColorKernels& Avx512ColorKernels();
#endif

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_COLOR_KERNELS_H_
