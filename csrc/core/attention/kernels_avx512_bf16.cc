// AVX-512 with products of pairs of bfloat16.
#include "core/attention/kernels.h"

#if MMCORE_X86

#include <immintrin.h>

#include "core/attention/dropout.h"
#include "core/attention/reduce_avx2.h"
#include "core/base/bfloat16.h"

#define MMCORE_LOOP __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define MMCORE_PAIRS

namespace mmcore::attention {
namespace {

#include "core/attention/vectors_avx512.inc"

MMCORE_VECTOR Vec FmaPairs(Vec a, Vec b, Vec c) {
  return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}
MMCORE_VECTOR Vec ToPairs(Vec low, Vec high) { return reinterpret_cast<Vec>(_mm512_cvtne2ps_pbh(high, low)); }

#include "core/attention/loops.inc"

}  // namespace

const Kernels& Avx512Bf16Kernels() { return kKernels; }

bool HasAvx512Bf16() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
}

}  // namespace mmcore::attention

#endif  // MMCORE_X86
