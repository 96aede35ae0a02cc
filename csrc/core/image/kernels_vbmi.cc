// The horizontal pass on AVX-512 VBMI, whose byte permutation gathers the taps of 16 sums at once: five RGB pixels
// of one row instead of one pixel of four rows, where a fifth of the instructions gathers instead of a half.
#include "core/image/kernels.h"

#if MMCORE_X86

#include "core/image/kernels_avx512.h"

namespace mmcore::image {
namespace {

MMCORE_TARGET_VBMI inline __m512i Load(const void* p) {
  return _mm512_loadu_si512(p);
}

// The sums of one block of four rows, with the weights in registers.
template <size_t kGroups>
struct BlockWeights {
  MMCORE_TARGET_VBMI BlockWeights(const int32_t* words, size_t) {
    for (size_t i = 0; i < kParts * kGroups; ++i) word[i] = Load(words + Blocks::kLanes * i);
  }

  MMCORE_TARGET_VBMI void Sums(const uint8_t* const rows[4], size_t at, size_t step, __m512i picks,
                               __m512i sums[4]) const {
    __m512i taps[kGroups][4];
    for (size_t g = 0; g < kGroups; ++g) {
      for (size_t r = 0; r < 4; ++r) taps[g][r] = _mm512_permutexvar_epi8(picks, Load(rows[r] + at + g * step));
    }
    FourSums<kGroups>(taps, word, sums);
  }

  __m512i word[kParts * kGroups];
};

// However many groups there are, with weights in memory.
template <>
struct BlockWeights<0> {
  BlockWeights(const int32_t* first, size_t count) : words(first), groups(count) {}

  MMCORE_TARGET_VBMI void Sums(const uint8_t* const rows[4], size_t at, size_t step, __m512i picks,
                               __m512i sums[4]) const {
    for (size_t r = 0; r < 4; ++r) {
      __m512i low = _mm512_setzero_si512(), middle = low, high = _mm512_set1_epi32(kFirstSum);
      const int32_t* word = words;
      for (size_t g = 0; g < groups; ++g, word += kParts * Blocks::kLanes) {
        const __m512i taps = _mm512_permutexvar_epi8(picks, Load(rows[r] + at + g * step));
        low = _mm512_dpbusd_epi32(low, taps, Load(word));
        middle = _mm512_dpbusd_epi32(middle, taps, Load(word + Blocks::kLanes));
        high = _mm512_dpbusd_epi32(high, taps, Load(word + 2 * Blocks::kLanes));
      }
      sums[r] = Combined(low, middle, high);
    }
  }

  const int32_t* words;
  size_t groups;
};

template <size_t kGroups>
MMCORE_TARGET_VBMI void HorizontalWith(const uint8_t* const rows[4], const Blocks& blocks, size_t channels,
                                       uint8_t* quad) {
  // Packed sums have four bytes of each row in every lane: transposed, they are a quad.
  const __m512i transpose = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const size_t step = 4 * channels;
  const size_t words_per_block = blocks.groups * kParts * Blocks::kLanes;
  const size_t quad_step = blocks.pixels * step;
  const uint8_t* picks_of_block = blocks.picks.data();
  const int32_t* words = blocks.words.data();
  const uint8_t* const row[4] = {rows[0], rows[1], rows[2], rows[3]};
  // The four rows below these are read by the next call. Without asking for them now, 5 % of the time of a batch that
  // is larger than the cache goes by waiting.
  const uintptr_t below = 4 * (reinterpret_cast<uintptr_t>(rows[1]) - reinterpret_cast<uintptr_t>(rows[0]));
  for (const uint32_t start : blocks.starts) {
    const BlockWeights<kGroups> weights(words, blocks.groups);
    const __m512i picks = Load(picks_of_block);
    for (const uint8_t* pixels : row) {
      _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(pixels) + start + below), _MM_HINT_T0);
    }
    __m512i sums[4];
    weights.Sums(row, start, step, picks, sums);
    _mm512_storeu_si512(quad, _mm512_shuffle_epi8(Packed(sums), transpose));
    quad += quad_step;
    picks_of_block += 64;
    words += words_per_block;
  }
}

MMCORE_TARGET_VBMI void HorizontalBlocks(const uint8_t* const rows[4], const Blocks& blocks, size_t channels,
                                         uint8_t* quad) {
  switch (blocks.groups) {
    case 1:
      return HorizontalWith<1>(rows, blocks, channels, quad);
    case 2:
      return HorizontalWith<2>(rows, blocks, channels, quad);
    case 3:
      return HorizontalWith<3>(rows, blocks, channels, quad);
    default:
      return HorizontalWith<0>(rows, blocks, channels, quad);
  }
}

}  // namespace

bool HasAvx512Vbmi() {
  return __builtin_cpu_supports("avx512vbmi");
}

const Kernels& Avx512VbmiKernels() {
  static const Kernels kernels = [] {
    Kernels copy = Avx512Kernels();
    copy.horizontal_blocks = HorizontalBlocks;
    return copy;
  }();
  return kernels;
}

}  // namespace mmcore::image

#endif  // MMCORE_X86
