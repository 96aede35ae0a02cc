// AVX-512 kernels on VNNI. A weight w is split into three signed bytes, w = 65536 a + 256 b + c, so that the
// dot product of four unsigned and four signed bytes gives the exact 32-bit sum in three parts.
#include "core/image/kernels.h"

#if MMCORE_X86

#include <immintrin.h>

#include "core/image/taps.h"

// GCC 12 sees uninitialised values in its own header's _mm512_undefined (GCC bug 105593); GCC 13 does not.
#if !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define MMCORE_TARGET_VNNI \
  __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

namespace mmcore::image {
namespace {

int32_t LowByte(int32_t value) {
  return ((value + 128) & 255) - 128;
}

void Encode(const int32_t weights[4], int32_t* words) {
  uint32_t packed[3] = {0, 0, 0};
  for (unsigned i = 0; i < 4; ++i) {
    int32_t rest = weights[i];
    for (uint32_t& word : packed) {
      const int32_t digit = LowByte(rest);
      word |= (static_cast<uint32_t>(digit) & 0xFFU) << (8 * i);
      rest = (rest - digit) / 256;
    }
  }
  for (int part = 0; part < 3; ++part) words[part] = static_cast<int32_t>(packed[part]);
}

struct Sums {
  __m512i part[3];
};

MMCORE_TARGET_VNNI inline Sums Start() {
  return {{_mm512_set1_epi32(kRounding), _mm512_setzero_si512(), _mm512_setzero_si512()}};
}

MMCORE_TARGET_VNNI inline void Accumulate(Sums& sums, __m512i pixels, const int32_t* words) {
  for (int i = 0; i < 3; ++i) {
    sums.part[i] = _mm512_dpbusd_epi32(sums.part[i], pixels, _mm512_set1_epi32(words[i]));
  }
}

// The sixteen sums as clamped bytes, in order.
MMCORE_TARGET_VNNI inline __m128i Finish(const Sums& sums) {
  const __m512i upper = _mm512_add_epi32(sums.part[1], _mm512_slli_epi32(sums.part[2], 8));
  const __m512i total = _mm512_add_epi32(sums.part[0], _mm512_slli_epi32(upper, 8));
  const __m512i shifted = _mm512_srai_epi32(total, kWeightBits);
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(shifted, _mm512_setzero_si512()));
}

MMCORE_TARGET_VNNI inline __m256i LoadTwo(const uint8_t* low, const uint8_t* high) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
}

// From 16 interleaved bytes: four taps side by side for each channel.
MMCORE_TARGET_VNNI inline __m512i TapQuads(size_t channels) {
  alignas(16) int8_t bytes[16];
  for (size_t i = 0; i < 16; ++i) {
    bytes[i] = static_cast<int8_t>(i / 4 < channels ? i % 4 * channels + i / 4 : 0x80);
  }
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)));
}

template <size_t kGroups>  // 0: as many as `groups` says
MMCORE_TARGET_VNNI void HorizontalGroups(const uint8_t* const rows[4], const uint32_t* offsets,
                                         const int32_t* words, size_t groups, size_t count, size_t channels,
                                         uint8_t* quad) {
  const size_t num_groups = kGroups == 0 ? groups : kGroups;
  const __m512i by_channel = TapQuads(channels);
  const __m128i transpose = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const size_t step = 4 * channels;
  for (size_t x = 0; x < count; ++x) {
    Sums sums = Start();
    size_t at = offsets[x];
    for (size_t g = 0; g < num_groups; ++g, at += step, words += 3) {
      const __m256i upper = LoadTwo(rows[0] + at, rows[1] + at);
      const __m256i lower = LoadTwo(rows[2] + at, rows[3] + at);
      const __m512i pixels = _mm512_inserti64x4(_mm512_castsi256_si512(upper), lower, 1);
      Accumulate(sums, _mm512_shuffle_epi8(pixels, by_channel), words);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(quad + x * step), _mm_shuffle_epi8(Finish(sums), transpose));
  }
}

MMCORE_TARGET_VNNI void Horizontal(const uint8_t* const rows[4], const uint32_t* offsets,
                                   const int32_t* words, size_t groups, size_t count, size_t channels,
                                   uint8_t* quad) {
  switch (groups) {
    case 1:
      return HorizontalGroups<1>(rows, offsets, words, groups, count, channels, quad);
    case 2:
      return HorizontalGroups<2>(rows, offsets, words, groups, count, channels, quad);
    case 3:
      return HorizontalGroups<3>(rows, offsets, words, groups, count, channels, quad);
    default:
      return HorizontalGroups<0>(rows, offsets, words, groups, count, channels, quad);
  }
}

template <size_t kGroups>  // 0: as many as `groups` says
MMCORE_TARGET_VNNI void VerticalGroups(const uint8_t* const* quads, const int32_t* words, size_t groups,
                                       size_t count, uint8_t* row) {
  const size_t num_groups = kGroups == 0 ? groups : kGroups;
  for (size_t i = 0; i < count; i += 16) {
    Sums sums = Start();
    for (size_t g = 0; g < num_groups; ++g)
      Accumulate(sums, _mm512_loadu_si512(quads[g] + 4 * i), words + 3 * g);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(row + i), Finish(sums));
  }
}

MMCORE_TARGET_VNNI void Vertical(const uint8_t* const* quads, const int32_t* words, size_t groups,
                                 size_t count, uint8_t* row) {
  switch (groups) {
    case 1:
      return VerticalGroups<1>(quads, words, groups, count, row);
    case 2:
      return VerticalGroups<2>(quads, words, groups, count, row);
    case 3:
      return VerticalGroups<3>(quads, words, groups, count, row);
    default:
      return VerticalGroups<0>(quads, words, groups, count, row);
  }
}

MMCORE_TARGET_VNNI void Normalize(const uint8_t* row, size_t count, const Normalization& n, float* out) {
  size_t phase = 0;
  for (size_t i = 0; i < count; i += 16) {
    const auto live = static_cast<__mmask16>(count - i >= 16 ? 0xFFFFU : (1U << (count - i)) - 1U);
    const __m128i bytes = _mm_maskz_loadu_epi8(live, row + i);
    const __m512 v = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
    const __m512 low =
        _mm512_fmadd_ps(v, _mm512_load_ps(n.scale_low + phase), _mm512_load_ps(n.bias + phase));
    _mm512_mask_storeu_ps(out + i, live, _mm512_fmadd_ps(v, _mm512_load_ps(n.scale + phase), low));
    phase = phase == 32 ? 0 : phase + 16;
  }
}

}  // namespace

bool HasAvx512Vnni() {
  return __builtin_cpu_supports("avx512vnni");
}

const Kernels& Avx512Kernels() {
  static constexpr Kernels kernels = {3, Encode, Horizontal, Vertical, Normalize};
  return kernels;
}

}  // namespace mmcore::image

#endif  // MMCORE_X86
