// The set for any processor: vectors of four floats as the compiler makes them.
#include "core/norm/kernels.h"

#include <cstdint>
#include <vector>

#include "core/base/bfloat16.h"

#define MMCORE_LOOP

namespace mmcore::norm {
namespace {

constexpr size_t kLanes = 4;

#include "core/norm/loops.inc"

}  // namespace

const Kernels& ScalarKernels() { return kKernels; }

const Kernels& KernelsFor(Isa isa) {
#if MMCORE_X86
  if (isa == Isa::kAvx512) return Avx512Kernels();
  if (isa == Isa::kAvx2) return Avx2Kernels();
#endif
  static_cast<void>(isa);
  return ScalarKernels();
}

}  // namespace mmcore::norm
