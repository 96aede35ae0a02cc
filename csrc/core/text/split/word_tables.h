// The classes of characters that the patterns of pre-tokenizers tell apart: see generate_word_tables.py for
// where the values come from.
#ifndef MMCORE_CORE_TEXT_SPLIT_WORD_TABLES_H_
#define MMCORE_CORE_TEXT_SPLIT_WORD_TABLES_H_

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/base/api.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace words {

enum Class : uint16_t {
  kLetter = 1,    // \p{L}
  kNumber = 2,    // \p{N}
  kSpace = 4,     // \s
  kUpper = 8,     // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
  kLower = 16,    // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
  kNewline = 32,  // [\r\n]
  kWord = 64,     // \w of the regex crate of Rust.
  kNumeric = 128,  // char::is_numeric of Rust.
  kSymbol = 256,   // [\p{P}\p{S}]
};
constexpr uint16_t kBoth = kUpper | kLower;                // [\p{Lm}\p{Lo}\p{M}] has both bits.
constexpr uint16_t kPlain = kLetter | kNumber | kSpace;    // Has none of them: [^\s\p{L}\p{N}].
constexpr uint16_t kNoPrefix = kLetter | kNumber | kNewline;  // Has none of them: [^\r\n\p{L}\p{N}].

extern MMCORE_API const uint8_t kIndex[8704];
extern MMCORE_API const uint16_t kPages[];

// All classes of a code point below 0x110000.
inline uint16_t Classes(uint32_t c) { return kPages[size_t{kIndex[c >> 7]} << 7 | (c & 127)]; }

struct Char {
  uint16_t classes;
  uint32_t size;  // In bytes.
};

// The character at `p`, the first byte of one in valid UTF-8. The first page of the table is ASCII.
inline Char CharAt(const char* p) {
  const auto lead = static_cast<unsigned char>(*p);
  if (lead < 0x80) return {kPages[lead], 1};
  const utf8::Decoded c = utf8::DecodeValid(p);
  return {Classes(c.code_point), c.size};
}

// `p` behind the ASCII letters there, looked at sixteen at a time where the processor can; `p` itself where fewer
// bytes are left. `low` and `fold`: 'a' and 0x20 for all letters, 'a' and 0 for small ones, 'A' and 0 for capitals.
inline const char* SkipAsciiLetters([[maybe_unused]] char low, [[maybe_unused]] char fold, const char* p,
                                    [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i from_low = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(fold)), _mm_set1_epi8(low));
    const __m128i in = _mm_cmpeq_epi8(_mm_min_epu8(from_low, _mm_set1_epi8(25)), from_low);
    const auto others = static_cast<unsigned>(_mm_movemask_epi8(in)) ^ 0xFFFFu;
    if (others != 0) return p + __builtin_ctz(others);
    p += 16;
  }
#endif
  return p;
}

// The end of the run of characters that goes on at `p`, each with a class of `wanted`.
inline const char* RunWith(uint16_t wanted, const char* p, const char* end) {
  while (p < end) {
    const Char c = CharAt(p);
    if ((c.classes & wanted) == 0) break;
    p += c.size;
  }
  return p;
}

// The same for characters with no class of `unwanted`.
inline const char* RunWithout(uint16_t unwanted, const char* p, const char* end) {
  while (p < end) {
    const Char c = CharAt(p);
    if (c.classes & unwanted) break;
    p += c.size;
  }
  return p;
}

// The first byte of the character that ends at `p`.
inline const char* Previous(const char* p) {
  do --p;
  while (utf8::IsContinuation(*p));
  return p;
}

}  // namespace words
}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_WORD_TABLES_H_
