// The pre-tokenizer of GPT-2 as a scanner over valid UTF-8. It finds the matches of
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// (Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2 and its code.)
#ifndef MMCORE_CORE_TEXT_GPT2_PATTERN_H_
#define MMCORE_CORE_TEXT_GPT2_PATTERN_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace gpt2 {

constexpr uint8_t kClasses = unicode::kLetter | unicode::kNumber | unicode::kSpace;
constexpr uint8_t kNotAscii = 0x80;

constexpr std::array<uint8_t, 256> MakeAsciiClasses() {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool space = c == ' ' || (c >= 9 && c <= 13);
    table[c] = c >= 0x80              ? kNotAscii
               : letter               ? unicode::kLetter
               : c >= '0' && c <= '9' ? unicode::kNumber
               : space                ? unicode::kSpace
                                      : 0;
  }
  return table;
}
inline constexpr std::array<uint8_t, 256> kAsciiClasses = MakeAsciiClasses();

// Letter, number, space or 0 (anything else) of the character at `p`, and its size in bytes.
inline uint8_t ClassAt(const char* p, uint32_t* size) {
  const uint8_t ascii = kAsciiClasses[static_cast<unsigned char>(*p)];
  *size = 1;
  if (ascii != kNotAscii) return ascii;
  const utf8::Decoded c = utf8::DecodeValid(p);
  *size = c.size;
  return unicode::Flags(c.code_point) & kClasses;
}

// The end of the run of characters of class `wanted` that goes on at `p`.
inline const char* RunEnd(const char* p, const char* end, uint8_t wanted) {
  while (p < end) {
    uint32_t size;
    if (ClassAt(p, &size) != wanted) return p;
    p += size;
  }
  return p;
}

// Bytes of the contraction that begins with the apostrophe at `p`, 0 where there is none.
inline size_t ContractionSize(const char* p, const char* end) {
  if (end - p < 2) return 0;
  switch (p[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 2;
    case 'r':
    case 'v': return end - p >= 3 && p[2] == 'e' ? 3 : 0;
    case 'l': return end - p >= 3 && p[2] == 'l' ? 3 : 0;
    default: return 0;
  }
}

// White space from `p`: all of the run at the end of the text, else all but its last character, which belongs
// to what follows (or stands alone).
inline const char* SpaceEnd(const char* p, const char* end) {
  const char* run = RunEnd(p, end, unicode::kSpace);
  if (run == end) return run;
  const char* last = run - 1;
  while (utf8::IsContinuation(*last)) --last;
  return last == p ? run : last;
}

// The end of the match that begins at `p` < `end`.
inline const char* Next(const char* p, const char* end) {
  if (*p == '\'') {
    if (const size_t size = ContractionSize(p, end)) return p + size;
  }
  uint32_t size;
  const char* q = *p == ' ' && p + 1 < end ? p + 1 : p;
  const uint8_t first = ClassAt(q, &size);
  if (first == unicode::kSpace) return SpaceEnd(p, end);
  return RunEnd(q + size, end, first);
}

}  // namespace gpt2
}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_GPT2_PATTERN_H_
