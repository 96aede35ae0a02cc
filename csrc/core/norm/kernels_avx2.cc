#include "core/norm/kernels.h"

#if MMCORE_X86

#include <cstdint>
#include <vector>

#include "core/base/bfloat16.h"

#define MMCORE_LOOP MMCORE_TARGET_AVX2

namespace mmcore::norm {
namespace {

constexpr size_t kLanes = 8;

#include "core/norm/loops.inc"

}  // namespace

const Kernels& Avx2Kernels() { return kKernels; }

}  // namespace mmcore::norm

#endif  // MMCORE_X86
