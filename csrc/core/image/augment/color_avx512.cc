#include "core/image/augment/color_kernels.h"

#if MMCORE_X86

#define MMCORE_LOOP MMCORE_TARGET_AVX512

namespace mmcore::image {
namespace {

#include "core/image/augment/color_loops.inc"

}  // namespace

const ColorKernels& Avx512ColorKernels() {
  return kKernels;
}

}  // namespace mmcore::image

#endif  // MMCORE_X86
