#include "core/attention/kernels.h"

#if MMCORE_X86

#include <immintrin.h>

#include "core/attention/dropout.h"
#include "core/attention/reduce_avx2.h"
#include "core/base/bfloat16.h"

#define MMCORE_LOOP MMCORE_TARGET_AVX2

namespace mmcore::attention {
namespace {

typedef float Vec __attribute__((vector_size(32), may_alias));
typedef int32_t Ints __attribute__((vector_size(32), may_alias));

constexpr size_t kLanes = 8;
constexpr size_t kTileRows = 6, kTileVectors = 2;  // 12 sums, 2 columns and a factor, of 16 registers.

#define MMCORE_VECTOR MMCORE_LOOP inline __attribute__((always_inline))

MMCORE_VECTOR Vec Set(float x) { return _mm256_set1_ps(x); }
MMCORE_VECTOR Vec Load(const float* p) { return _mm256_loadu_ps(p); }
MMCORE_VECTOR void Store(float* p, Vec x) { _mm256_storeu_ps(p, x); }
MMCORE_VECTOR Vec Fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
MMCORE_VECTOR Vec Max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
MMCORE_VECTOR Vec MinusLogs(Vec x, Vec n) { return Fma(n, Set(-0.693147182f), x); }
MMCORE_VECTOR Vec TimesPower(Vec x, Ints n, Vec at, float least) {
  const __m256i sum = _mm256_add_epi32(_mm256_castps_si256(x), reinterpret_cast<__m256i>(n));
  return _mm256_and_ps(_mm256_cmp_ps(at, Set(least), _CMP_NLT_UQ), _mm256_castsi256_ps(sum));
}
MMCORE_VECTOR float Largest(Vec x) { return LargestOf(x); }
MMCORE_VECTOR float Sum(Vec x) { return SumOf(x); }

MMCORE_VECTOR void Transpose(const float* from, size_t from_row, float* to, size_t to_row) {
  __m256 a[8], b[8];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) a[i] = _mm256_loadu_ps(from + i * from_row);
#pragma GCC unroll 4
  for (size_t i = 0; i < 8; i += 2) {
    b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 2
  for (size_t i = 0; i < 8; i += 4) {
    a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xEE);
    a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_row, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_row, _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
  }
}

#include "core/attention/loops.inc"

}  // namespace

const Kernels& Avx2Kernels() { return kKernels; }

}  // namespace mmcore::attention

#endif  // MMCORE_X86
