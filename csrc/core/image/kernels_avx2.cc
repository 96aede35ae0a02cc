// AVX2 kernels. A weight w is split into w = 4096 h + l with both parts in 16 bits, so that multiply-add of
// 16-bit pairs gives the exact 32-bit sum in two halves: sum w p = 4096 sum h p + sum l p.
#include "core/image/kernels.h"

#if MMCORE_X86

#include <immintrin.h>

#include <cstring>

#include "core/image/taps.h"

namespace mmcore::image {
namespace {

constexpr int kLowBits = 12;

int32_t Pair(int32_t first, int32_t second) {
  return static_cast<int32_t>((static_cast<uint32_t>(second) << 16) |
                              (static_cast<uint32_t>(first) & 0xFFFFU));
}

// Words: low halves of weights 0 1, low 2 3, high 0 1, high 2 3.
void Encode(const int32_t weights[4], int32_t* words) {
  int32_t high[4];
  int32_t low[4];
  for (int i = 0; i < 4; ++i) {
    high[i] = (weights[i] + (1 << (kLowBits - 1))) >> kLowBits;
    low[i] = weights[i] - high[i] * (1 << kLowBits);
  }
  words[0] = Pair(low[0], low[1]);
  words[1] = Pair(low[2], low[3]);
  words[2] = Pair(high[0], high[1]);
  words[3] = Pair(high[2], high[3]);
}

// From 16 interleaved bytes: 16-bit values of taps `first` and `first` + 1, side by side for each channel.
MMCORE_TARGET_AVX2 __m256i TapPairs(size_t channels, size_t first) {
  alignas(32) int8_t bytes[32];
  for (size_t i = 0; i < 32; ++i) {
    const size_t c = i % 16 / 4;
    const size_t tap = first + i % 4 / 2;
    const bool used = c < channels && i % 2 == 0;
    bytes[i] = static_cast<int8_t>(used ? tap * channels + c : 0x80);
  }
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
}

MMCORE_TARGET_AVX2 inline __m256i Broadcast(const int32_t* word) {
  return _mm256_set1_epi32(*word);
}

MMCORE_TARGET_AVX2 inline __m128i Load16(const uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

MMCORE_TARGET_AVX2 inline __m256i LoadTwo(const uint8_t* low, const uint8_t* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(Load16(low)), Load16(high), 1);
}

struct Sums {
  __m256i low;
  __m256i high;
};

MMCORE_TARGET_AVX2 inline void Accumulate(Sums& sums, __m256i pairs01, __m256i pairs23,
                                          const int32_t* words) {
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs01, Broadcast(words)));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs23, Broadcast(words + 1)));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs01, Broadcast(words + 2)));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs23, Broadcast(words + 3)));
}

MMCORE_TARGET_AVX2 inline Sums Start() {
  return {_mm256_set1_epi32(kRounding), _mm256_setzero_si256()};
}

MMCORE_TARGET_AVX2 inline __m256i Finish(const Sums& sums) {
  return _mm256_srai_epi32(_mm256_add_epi32(sums.low, _mm256_slli_epi32(sums.high, kLowBits)), kWeightBits);
}

MMCORE_TARGET_AVX2 void Horizontal(const uint8_t* const rows[4], const uint32_t* offsets,
                                   const int32_t* words, size_t groups, size_t count, size_t channels,
                                   uint8_t* quad) {
  const __m256i pairs01 = TapPairs(channels, 0);
  const __m256i pairs23 = TapPairs(channels, 2);
  const __m128i order = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
  const size_t step = 4 * channels;
  for (size_t x = 0; x < count; ++x) {
    Sums upper = Start();
    Sums lower = Start();
    size_t at = offsets[x];
    for (size_t g = 0; g < groups; ++g, at += step, words += 4) {
      const __m256i a = LoadTwo(rows[0] + at, rows[1] + at);
      const __m256i b = LoadTwo(rows[2] + at, rows[3] + at);
      Accumulate(upper, _mm256_shuffle_epi8(a, pairs01), _mm256_shuffle_epi8(a, pairs23), words);
      Accumulate(lower, _mm256_shuffle_epi8(b, pairs01), _mm256_shuffle_epi8(b, pairs23), words);
    }
    // Packing clamps to [0, 255]; lanes then hold the channels of rows 0 2 and of rows 1 3.
    const __m256i words16 = _mm256_packs_epi32(Finish(upper), Finish(lower));
    const __m256i bytes = _mm256_packus_epi16(words16, words16);
    const __m128i mixed =
        _mm_unpacklo_epi8(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(quad + x * step), _mm_shuffle_epi8(mixed, order));
  }
}

MMCORE_TARGET_AVX2 inline __m256i VerticalEight(const uint8_t* const* quads, const int32_t* words,
                                                size_t groups, size_t at) {
  const __m256i rows01 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
  const __m256i rows23 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1));
  Sums sums = Start();
  for (size_t g = 0; g < groups; ++g) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(quads[g] + at));
    Accumulate(sums, _mm256_shuffle_epi8(v, rows01), _mm256_shuffle_epi8(v, rows23), words + 4 * g);
  }
  return Finish(sums);
}

MMCORE_TARGET_AVX2 void Vertical(const uint8_t* const* quads, const int32_t* words, size_t groups,
                                 size_t count, uint8_t* row) {
  for (size_t i = 0; i < count; i += 16) {
    const __m256i a = VerticalEight(quads, words, groups, 4 * i);
    const __m256i b = VerticalEight(quads, words, groups, 4 * i + 32);
    const __m256i words16 = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
    const __m128i bytes =
        _mm_packus_epi16(_mm256_castsi256_si128(words16), _mm256_extracti128_si256(words16, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(row + i), bytes);
  }
}

MMCORE_TARGET_AVX2 void Normalize(const uint8_t* row, size_t count, const Normalization& n, float* out) {
  size_t i = 0;
  size_t phase = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + i));
    const __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    const __m256 low =
        _mm256_fmadd_ps(v, _mm256_load_ps(n.scale_low + phase), _mm256_load_ps(n.bias + phase));
    _mm256_storeu_ps(out + i, _mm256_fmadd_ps(v, _mm256_load_ps(n.scale + phase), low));
    phase = phase == 16 ? 0 : phase + 8;
  }
  for (; i < count; ++i) out[i] = n.table[i % 3][row[i]];
}

}  // namespace

const Kernels& Avx2Kernels() {
  static constexpr Kernels kernels = {4, Encode, Horizontal, Vertical, Normalize};
  return kernels;
}

}  // namespace mmcore::image

#endif  // MMCORE_X86
