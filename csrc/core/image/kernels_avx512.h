// What the AVX-512 kernels share. Included by them alone.
#ifndef MMCORE_CORE_IMAGE_KERNELS_AVX512_H_
#define MMCORE_CORE_IMAGE_KERNELS_AVX512_H_

#include <immintrin.h>

#include "core/image/kernels.h"
#include "core/image/taps.h"

// GCC 12 sees uninitialised values in its own header's _mm512_undefined (GCC bug 105593); GCC 13 does not.
#if !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define MMCORE_TARGET_VNNI \
  __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define MMCORE_TARGET_VBMI \
  __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi")))

namespace mmcore::image {

// The parts of a weight, w = 65536 a + 256 b + c. Sums are made from the highest part down, and shifted before the
// next is added, so that one register holds them: ((A << 8) + B << 8) + C. They begin with the rounding.
constexpr int kParts = 3;
constexpr int kFirstSum = kRounding >> 16;

// The sums of four vectors side by side. Each is a chain of dependent additions: the four are interleaved, so that the
// processor finds independent ones among the few that it looks at.
template <size_t kGroups>
MMCORE_TARGET_VNNI inline void AddPart(__m512i sums[4], const __m512i taps[kGroups][4], const __m512i* words,
                                       size_t part) {
  for (size_t g = 0; g < kGroups; ++g) {
    for (size_t v = 0; v < 4; ++v) sums[v] = _mm512_dpbusd_epi32(sums[v], taps[g][v], words[kParts * g + part]);
  }
}

MMCORE_TARGET_VNNI inline void ShiftLeft(__m512i sums[4]) {
  for (size_t v = 0; v < 4; ++v) sums[v] = _mm512_slli_epi32(sums[v], 8);
}

template <size_t kGroups>
MMCORE_TARGET_VNNI inline void FourSums(const __m512i taps[kGroups][4], const __m512i* words, __m512i sums[4]) {
  for (size_t v = 0; v < 4; ++v) sums[v] = _mm512_set1_epi32(kFirstSum);
  AddPart<kGroups>(sums, taps, words, 2);
  ShiftLeft(sums);
  AddPart<kGroups>(sums, taps, words, 1);
  ShiftLeft(sums);
  AddPart<kGroups>(sums, taps, words, 0);
}

// Clamped to bytes: every lane of 16 bytes has four of each vector.
MMCORE_TARGET_VNNI inline __m512i Packed(const __m512i sums[4]) {
  __m512i shifted[4];
  for (size_t v = 0; v < 4; ++v) shifted[v] = _mm512_srai_epi32(sums[v], kWeightBits);
  return _mm512_packus_epi16(_mm512_packs_epi32(shifted[0], shifted[1]),
                             _mm512_packs_epi32(shifted[2], shifted[3]));
}

MMCORE_TARGET_VNNI inline __m512i Combined(__m512i low, __m512i middle, __m512i high) {
  const __m512i upper = _mm512_add_epi32(middle, _mm512_slli_epi32(high, 8));
  return _mm512_add_epi32(low, _mm512_slli_epi32(upper, 8));
}

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_KERNELS_AVX512_H_
