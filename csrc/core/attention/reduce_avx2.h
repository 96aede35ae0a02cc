// The largest of, and the sum of, eight floats.
#ifndef MMCORE_CORE_ATTENTION_REDUCE_AVX2_H_
#define MMCORE_CORE_ATTENTION_REDUCE_AVX2_H_

#include "core/base/cpu.h"

#if MMCORE_X86

#include <immintrin.h>

namespace mmcore::attention {

MMCORE_TARGET_AVX2 inline float LargestOf(__m256 x) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
}

MMCORE_TARGET_AVX2 inline float SumOf(__m256 x) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
}

}  // namespace mmcore::attention

#endif  // MMCORE_X86

#endif  // MMCORE_CORE_ATTENTION_REDUCE_AVX2_H_
