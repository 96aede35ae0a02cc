// AVX-512 kernels on VNNI. A weight w is split into three signed bytes, w = 65536 a + 256 b + c, so that the
// dot product of four unsigned and four signed bytes gives the exact 32-bit sum in three parts.
#include "core/image/kernels.h"

#if MMCORE_X86

#include "core/image/kernels_avx512.h"

namespace mmcore::image {
namespace {

int32_t LowByte(int32_t value) {
  return ((value + 128) & 255) - 128;
}

void Encode(const int32_t weights[4], int32_t* words) {
  uint32_t packed[kParts] = {0, 0, 0};
  for (unsigned i = 0; i < 4; ++i) {
    int32_t rest = weights[i];
    for (uint32_t& word : packed) {
      const int32_t digit = LowByte(rest);
      word |= (static_cast<uint32_t>(digit) & 0xFFU) << (8 * i);
      rest = (rest - digit) >> 8;
    }
  }
  for (int part = 0; part < kParts; ++part) words[part] = static_cast<int32_t>(packed[part]);
}

MMCORE_TARGET_VNNI inline __m512i Broadcast(int32_t word) {
  return _mm512_set1_epi32(word);
}

MMCORE_TARGET_VNNI inline __m128i Load16(const uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

MMCORE_TARGET_VNNI inline __m256i LoadTwo(const uint8_t* low, const uint8_t* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(Load16(low)), Load16(high), 1);
}

// From 16 interleaved bytes: four taps side by side for each channel.
MMCORE_TARGET_VNNI inline __m512i TapQuads(size_t channels) {
  alignas(16) int8_t bytes[16];
  for (size_t i = 0; i < 16; ++i) {
    bytes[i] = static_cast<int8_t>(i / 4 < channels ? i % 4 * channels + i / 4 : 0x80);
  }
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)));
}

// One output of four rows at a time.
MMCORE_TARGET_VNNI void Horizontal(const uint8_t* const rows[4], const uint32_t* offsets,
                                   const int32_t* words, size_t groups, size_t count, size_t channels,
                                   uint8_t* quad) {
  const __m512i by_channel = TapQuads(channels);
  const __m128i transpose = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const size_t step = 4 * channels;
  for (size_t x = 0; x < count; ++x) {
    __m512i low = _mm512_setzero_si512(), middle = low, high = Broadcast(kFirstSum);
    size_t at = offsets[x];
    for (size_t g = 0; g < groups; ++g, at += step, words += kParts) {
      const __m256i upper = LoadTwo(rows[0] + at, rows[1] + at);
      const __m256i lower = LoadTwo(rows[2] + at, rows[3] + at);
      const __m512i pixels = _mm512_shuffle_epi8(
          _mm512_inserti64x4(_mm512_castsi256_si512(upper), lower, 1), by_channel);
      low = _mm512_dpbusd_epi32(low, pixels, Broadcast(words[0]));
      middle = _mm512_dpbusd_epi32(middle, pixels, Broadcast(words[1]));
      high = _mm512_dpbusd_epi32(high, pixels, Broadcast(words[2]));
    }
    const __m512i sums = _mm512_srai_epi32(Combined(low, middle, high), kWeightBits);
    const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(sums, _mm512_setzero_si512()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(quad + x * step), _mm_shuffle_epi8(bytes, transpose));
  }
}

// The sums of four vectors that begin at `at` in every quad, with the weights of a whole row in registers.
template <size_t kGroups>
struct RowWeights {
  MMCORE_TARGET_VNNI explicit RowWeights(const int32_t* words) {
    for (size_t i = 0; i < kParts * kGroups; ++i) word[i] = Broadcast(words[i]);
  }

  MMCORE_TARGET_VNNI void Sums(const uint8_t* const* quads, size_t at, __m512i sums[4]) const {
    __m512i taps[kGroups][4];
    for (size_t g = 0; g < kGroups; ++g) {
      for (size_t v = 0; v < 4; ++v) taps[g][v] = _mm512_loadu_si512(quads[g] + at + 64 * v);
    }
    FourSums<kGroups>(taps, word, sums);
  }

  __m512i word[kParts * kGroups];
};

// However many groups there are, with weights in memory.
struct MemoryWeights {
  MMCORE_TARGET_VNNI void Sums(const uint8_t* const* quads, size_t at, __m512i sums[4]) const {
    for (size_t v = 0; v < 4; ++v) {
      __m512i low = _mm512_setzero_si512(), middle = low, high = Broadcast(kFirstSum);
      const int32_t* word = words;
      for (size_t g = 0; g < groups; ++g, word += kParts) {
        const __m512i taps = _mm512_loadu_si512(quads[g] + at + 64 * v);
        low = _mm512_dpbusd_epi32(low, taps, Broadcast(word[0]));
        middle = _mm512_dpbusd_epi32(middle, taps, Broadcast(word[1]));
        high = _mm512_dpbusd_epi32(high, taps, Broadcast(word[2]));
      }
      sums[v] = Combined(low, middle, high);
    }
  }

  const int32_t* words;
  size_t groups;
};

template <typename Weights>
MMCORE_TARGET_VNNI inline void VerticalWith(const uint8_t* const* quads, const Weights& weights, size_t count,
                                            uint8_t* row) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (size_t i = 0; i < count; i += 64) {
    __m512i sums[4];
    weights.Sums(quads, 4 * i, sums);
    _mm512_storeu_si512(row + i, _mm512_permutexvar_epi32(order, Packed(sums)));
  }
}

MMCORE_TARGET_VNNI void Vertical(const uint8_t* const* quads, const int32_t* words, size_t groups,
                                 size_t count, uint8_t* row) {
  switch (groups) {
    case 1:
      return VerticalWith(quads, RowWeights<1>(words), count, row);
    case 2:
      return VerticalWith(quads, RowWeights<2>(words), count, row);
    case 3:
      return VerticalWith(quads, RowWeights<3>(words), count, row);
    default:
      return VerticalWith(quads, MemoryWeights{words, groups}, count, row);
  }
}

// The constants of 48 neighbouring values in registers.
struct Terms {
  MMCORE_TARGET_VNNI explicit Terms(const Normalization& n) {
    for (size_t i = 0; i < 3; ++i) {
      scale[i] = _mm512_load_ps(n.scale + 16 * i);
      scale_low[i] = _mm512_load_ps(n.scale_low + 16 * i);
      bias[i] = _mm512_load_ps(n.bias + 16 * i);
    }
  }

  MMCORE_TARGET_VNNI __m512 Normalized(__m128i bytes, size_t i) const {
    const __m512 v = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
    return _mm512_fmadd_ps(v, scale[i], _mm512_fmadd_ps(v, scale_low[i], bias[i]));
  }

  __m512 scale[3], scale_low[3], bias[3];
};

struct StoreFloat32 {
  MMCORE_TARGET_VNNI static void Store(float* out, __mmask16 live, __m512 v) {
    _mm512_mask_storeu_ps(out, live, v);
  }
};

// See half.h.
struct StoreBfloat16 {
  MMCORE_TARGET_VNNI static void Store(uint16_t* out, __mmask16 live, __m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), Broadcast(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(Broadcast(0x7FFF), odd));
    _mm256_mask_storeu_epi16(out, live, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
};

struct StoreFloat16 {
  MMCORE_TARGET_VNNI static void Store(uint16_t* out, __mmask16 live, __m512 v) {
    _mm256_mask_storeu_epi16(out, live, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
};

template <typename Storer, typename T>
MMCORE_TARGET_VNNI void Convert(const uint8_t* row, size_t count, const Normalization& n, T* out) {
  const Terms terms(n);
  constexpr __mmask16 kAll = 0xFFFF;
  size_t i = 0;
  for (; i + 48 <= count; i += 48) {
    Storer::Store(out + i, kAll, terms.Normalized(Load16(row + i), 0));
    Storer::Store(out + i + 16, kAll, terms.Normalized(Load16(row + i + 16), 1));
    Storer::Store(out + i + 32, kAll, terms.Normalized(Load16(row + i + 32), 2));
  }
  for (size_t third = 0; i < count; i += 16, ++third) {
    const auto live = static_cast<__mmask16>(count - i >= 16 ? kAll : (1U << (count - i)) - 1U);
    Storer::Store(out + i, live, terms.Normalized(_mm_maskz_loadu_epi8(live, row + i), third));
  }
}

void Split(const uint8_t* row, size_t width, uint8_t* const planes[3]) {
  Avx2Kernels().split(row, width, planes);
}

}  // namespace

bool HasAvx512Vnni() {
  return __builtin_cpu_supports("avx512vnni");
}

const Kernels& Avx512Kernels() {
  static constexpr Kernels kernels = {kParts,
                                      Encode,
                                      Horizontal,
                                      nullptr,
                                      Vertical,
                                      Split,
                                      Convert<StoreFloat32, float>,
                                      Convert<StoreBfloat16, uint16_t>,
                                      Convert<StoreFloat16, uint16_t>};
  return kernels;
}

}  // namespace mmcore::image

#endif  // MMCORE_X86
