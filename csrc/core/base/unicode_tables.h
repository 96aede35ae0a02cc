// What each code point is, as two-stage tables: see generate_unicode_tables.py for where the values come
// from.
#ifndef MMCORE_CORE_BASE_UNICODE_TABLES_H_
#define MMCORE_CORE_BASE_UNICODE_TABLES_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/span.h"

namespace mmcore {
namespace unicode {

enum Flag : uint8_t {
  kLetter = 1,
  kNumber = 2,
  kSpace = 4,
  kRemoved = 8,       // NUL, control and format characters, U+FFFD: what BERT's cleaning drops.
  kMark = 16,         // Non-spacing marks: what stripping accents drops after NFD.
  kPunctuation = 32,  // What BERT splits off; all ASCII symbols too.
  kIdeograph = 64,    // What BERT puts spaces around.
  kMapped = 128,      // Has a decomposition, a lower case or a combining class: all else maps to itself.
};

extern MMCORE_API const uint8_t kFlagIndex[8704];
extern MMCORE_API const uint8_t kFlagPages[];
extern MMCORE_API const uint8_t kCombiningIndex[8704];
extern MMCORE_API const uint8_t kCombiningPages[];
extern MMCORE_API const uint8_t kNfdIndex[8704];
extern MMCORE_API const uint16_t kNfdPages[];
extern MMCORE_API const uint32_t kNfdPool[];
extern MMCORE_API const uint8_t kLowerIndex[8704];
extern MMCORE_API const uint16_t kLowerPages[];
extern MMCORE_API const uint32_t kLowerPool[];

// All take code points below 0x110000.
inline uint8_t Flags(uint32_t c) { return kFlagPages[size_t{kFlagIndex[c >> 7]} << 7 | (c & 127)]; }

inline uint8_t CombiningClass(uint32_t c) {
  return kCombiningPages[size_t{kCombiningIndex[c >> 7]} << 7 | (c & 127)];
}

// Empty where the code point maps to itself.
inline Span<const uint32_t> Lower(uint32_t c) {
  const uint32_t* entry = kLowerPool + kLowerPages[size_t{kLowerIndex[c >> 7]} << 7 | (c & 127)];
  return {entry + 1, *entry};
}

// The full canonical decomposition of anything but a Hangul syllable, which is decomposed by arithmetic:
// NfdHangul.
inline Span<const uint32_t> Nfd(uint32_t c) {
  const uint32_t* entry = kNfdPool + kNfdPages[size_t{kNfdIndex[c >> 7]} << 7 | (c & 127)];
  return {entry + 1, *entry};
}

inline bool IsHangulSyllable(uint32_t c) { return c - 0xAC00 < 11172; }

// Writes 2 or 3 code points, returns how many (Unicode 3.12, "Hangul syllable decomposition").
inline size_t NfdHangul(uint32_t c, uint32_t* out) {
  const uint32_t s = c - 0xAC00, trailing = s % 28;
  out[0] = 0x1100 + s / 588;
  out[1] = 0x1161 + s % 588 / 28;
  out[2] = 0x11A7 + trailing;
  return trailing == 0 ? 2 : 3;
}

}  // namespace unicode
}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_UNICODE_TABLES_H_
