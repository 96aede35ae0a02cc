#include "core/image/augment/color_kernels.h"

#define MMCORE_LOOP

namespace mmcore::image {
namespace {

#include "core/image/augment/color_loops.inc"

}  // namespace

const ColorKernels& ScalarColorKernels() {
  return kKernels;
}

const ColorKernels& ColorKernelsFor(Isa isa) {
#if MMCORE_X86
  if (isa == Isa::kAvx512) return Avx512ColorKernels();
  if (isa == Isa::kAvx2) return Avx2ColorKernels();
#endif
  static_cast<void>(isa);
  return ScalarColorKernels();
}

}  // namespace mmcore::image
