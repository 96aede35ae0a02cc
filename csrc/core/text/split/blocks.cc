#include "core/text/split/blocks.h"

#if MMCORE_X86
#include <immintrin.h>
// GCC 12 sees uninitialised values in its own header's _mm512_undefined (GCC bug 105593); GCC 13 does not.
#if !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

namespace mmcore {
namespace text {

void ClassifyScalar(const char* block, AsciiMasks& masks) {
  masks = {};
  for (size_t i = 0; i < kBlockBytes; ++i) {
    const auto byte = static_cast<unsigned char>(block[i]);
    const auto set = [i](uint64_t& mask, bool holds) { mask |= uint64_t{holds} << i; };
    const uint16_t classes = byte < 0x80 ? words::kPages[byte] : 0;
    set(masks.letter, classes & words::kLetter);
    set(masks.number, classes & words::kNumber);
    set(masks.space, classes & words::kSpace);
    set(masks.blank, byte == ' ');
    set(masks.apostrophe, byte == '\'');
    set(masks.lead, byte >= 0xC0);
  }
  masks.wide = __builtin_popcountll(masks.lead) > kManyWide;
}

#if MMCORE_X86

namespace {

struct HalfMasks {
  uint32_t letter, number, space, blank, apostrophe, lead;
};

// Bytes from `low` to `low` + `count` - 1. Comparisons are signed: so are the bytes made.
MMCORE_TARGET_AVX2 inline __m256i Within(__m256i bytes, char low, char count) {
  const __m256i from_minimum = _mm256_sub_epi8(bytes, _mm256_set1_epi8(static_cast<char>(low - 128)));
  return _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count - 128)), from_minimum);
}

MMCORE_TARGET_AVX2 inline uint32_t Bits(__m256i mask) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(mask));
}

MMCORE_TARGET_AVX2 inline HalfMasks ClassifyHalf(const char* half) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(half));
  const __m256i blank = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' '));
  const __m256i lower = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
  return {Bits(Within(lower, 'a', 26)),
          Bits(Within(bytes, '0', 10)),
          Bits(_mm256_or_si256(blank, Within(bytes, 9, 5))),
          Bits(blank),
          Bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\''))),
          Bits(Within(bytes, static_cast<char>(0xC0), 0x40))};
}

MMCORE_TARGET_AVX512 inline __m512i All(int byte) { return _mm512_set1_epi8(static_cast<char>(byte)); }

MMCORE_TARGET_AVX512 inline uint64_t Within64(__m512i bytes, int low, int count) {
  return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, All(low)), All(count));
}

}  // namespace

MMCORE_TARGET_AVX2 void ClassifyAvx2(const char* block, AsciiMasks& masks) {
  const HalfMasks low = ClassifyHalf(block), high = ClassifyHalf(block + 32);
  const auto join = [](uint32_t first, uint32_t second) { return first | uint64_t{second} << 32; };
  masks = {join(low.letter, high.letter), join(low.number, high.number),
           join(low.space, high.space),   join(low.blank, high.blank),
           join(low.apostrophe, high.apostrophe), join(low.lead, high.lead), false};
  masks.wide = __builtin_popcountll(masks.lead) > kManyWide;
}

MMCORE_TARGET_AVX512 void ClassifyAvx512(const char* block, AsciiMasks& masks) {
  const __m512i bytes = _mm512_loadu_si512(block);
  const uint64_t blank = _mm512_cmpeq_epi8_mask(bytes, All(' '));
  masks = {Within64(_mm512_or_si512(bytes, All(0x20)), 'a', 26),
           Within64(bytes, '0', 10),
           blank | Within64(bytes, 9, 5),
           blank,
           _mm512_cmpeq_epi8_mask(bytes, All('\'')),
           _mm512_cmpge_epu8_mask(bytes, All(0xC0)),
           false};
  masks.wide = __builtin_popcountll(masks.lead) > kManyWide;
}

#endif  // MMCORE_X86

AsciiClassifier ClassifierOf(Isa isa) {
#if MMCORE_X86
  if (isa == Isa::kAvx512) return ClassifyAvx512;
  if (isa == Isa::kAvx2) return ClassifyAvx2;
#else
  static_cast<void>(isa);
#endif
  return ClassifyScalar;
}

}  // namespace text
}  // namespace mmcore
