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

// Which bytes of a third of 48 interleaved ones go where in the plane of channel c; the others become zero.
MMCORE_TARGET_AVX2 __m128i SplitOrder(size_t c, size_t third) {
  alignas(16) int8_t bytes[16];
  for (size_t x = 0; x < 16; ++x) {
    const size_t at = 3 * x + c;
    bytes[x] = static_cast<int8_t>(at / 16 == third ? at % 16 : 0x80);
  }
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

MMCORE_TARGET_AVX2 void Split(const uint8_t* row, size_t width, uint8_t* const planes[3]) {
  __m128i order[3][3];
  for (size_t c = 0; c < 3; ++c) {
    for (size_t third = 0; third < 3; ++third) order[c][third] = SplitOrder(c, third);
  }
  for (size_t x = 0; x < width; x += 16, row += 48) {
    const __m128i thirds[3] = {Load16(row), Load16(row + 16), Load16(row + 32)};
    for (size_t c = 0; c < 3; ++c) {
      __m128i plane = _mm_setzero_si128();
      for (size_t i = 0; i < 3; ++i) plane = _mm_or_si128(plane, _mm_shuffle_epi8(thirds[i], order[c][i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(planes[c] + x), plane);
    }
  }
}

MMCORE_TARGET_AVX2 inline __m256 NormalizedEight(const uint8_t* row, const Normalization& n, size_t phase) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row));
  const __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  const __m256 low =
      _mm256_fmadd_ps(v, _mm256_load_ps(n.scale_low + phase), _mm256_load_ps(n.bias + phase));
  return _mm256_fmadd_ps(v, _mm256_load_ps(n.scale + phase), low);
}

MMCORE_TARGET_AVX2 void ToFloat32(const uint8_t* row, size_t count, const Normalization& n, float* out) {
  size_t i = 0;
  for (size_t phase = 0; i + 8 <= count; i += 8, phase = phase == 40 ? 0 : phase + 8) {
    _mm256_storeu_ps(out + i, NormalizedEight(row + i, n, phase));
  }
  for (; i < count; ++i) out[i] = n.table[i % n.channels][row[i]];
}

// See half.h.
MMCORE_TARGET_AVX2 void ToBfloat16(const uint8_t* row, size_t count, const Normalization& n, uint16_t* out) {
  const __m256i half = _mm256_set1_epi32(0x7FFF);
  const __m256i one = _mm256_set1_epi32(1);
  size_t i = 0;
  for (size_t phase = 0; i + 8 <= count; i += 8, phase = phase == 40 ? 0 : phase + 8) {
    const __m256i bits = _mm256_castps_si256(NormalizedEight(row + i, n, phase));
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
    const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(half, odd)), 16);
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), words);
  }
  for (; i < count; ++i) out[i] = n.bfloat16[i % n.channels][row[i]];
}

// From the table: the conversion instructions are an extension of their own, F16C.
void ToFloat16(const uint8_t* row, size_t count, const Normalization& n, uint16_t* out) {
  ScalarKernels().to_float16(row, count, n, out);
}

}  // namespace

const Kernels& Avx2Kernels() {
  static constexpr Kernels kernels = {4,     Encode,    Horizontal, nullptr,  Vertical,
                                      Split, ToFloat32, ToBfloat16, ToFloat16};
  return kernels;
}

}  // namespace mmcore::image

#endif  // MMCORE_X86
