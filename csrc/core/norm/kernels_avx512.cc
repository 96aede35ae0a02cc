#include "core/norm/kernels.h"

#if MMCORE_X86

#include <cstdint>
#include <vector>

#include "core/base/bfloat16.h"

#define MMCORE_LOOP MMCORE_TARGET_AVX512

namespace mmcore::norm {
namespace {

constexpr size_t kLanes = 16;

#include "core/norm/loops.inc"

}  // namespace

const Kernels& Avx512Kernels() { return kKernels; }

}  // namespace mmcore::norm

#endif  // MMCORE_X86
