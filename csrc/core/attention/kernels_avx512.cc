#include "core/attention/kernels.h"

#if MMCORE_X86

#include <immintrin.h>

#include "core/attention/dropout.h"
#include "core/attention/reduce_avx2.h"
#include "core/base/bfloat16.h"

#define MMCORE_LOOP MMCORE_TARGET_AVX512

namespace mmcore::attention {
namespace {

#include "core/attention/vectors_avx512.inc"

#include "core/attention/loops.inc"

}  // namespace

const Kernels& Avx512Kernels() { return kKernels; }

}  // namespace mmcore::attention

#endif  // MMCORE_X86
