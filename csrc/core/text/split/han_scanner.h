// The pattern of Kimi K2: o200k's, where Chinese characters are words of their own:
//   [\p{Han}]+|
//   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|...)?|
//   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|...)?|
//   \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
#ifndef MMCORE_CORE_TEXT_SPLIT_HAN_SCANNER_H_
#define MMCORE_CORE_TEXT_SPLIT_HAN_SCANNER_H_

#include <cstdint>

#include "core/base/utf8.h"
#include "core/text/split/scanners.h"
#include "core/text/split/word_tables.h"

namespace mmcore {
namespace text {

// \p{Han} of Hugging Face and tiktoken alike (measured with tokenizers 0.23.3 and tiktoken 0.14).
inline bool IsHan(uint32_t c) {
  if (c < 0x2E80) return false;
  if (c >= 0x3400 && c <= 0x9FFF) return c <= 0x4DBF || c >= 0x4E00;
  struct Range {
    uint32_t first, last;
  };
  constexpr Range kRanges[] = {
      {0x2E80, 0x2E99},   {0x2E9B, 0x2EF3},   {0x2F00, 0x2FD5},   {0x3005, 0x3005},   {0x3007, 0x3007},
      {0x3021, 0x3029},   {0x3038, 0x303B},   {0xF900, 0xFA6D},   {0xFA70, 0xFAD9},   {0x16FE2, 0x16FE3},
      {0x16FF0, 0x16FF1}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B739}, {0x2B740, 0x2B81D}, {0x2B820, 0x2CEA1},
      {0x2CEB0, 0x2EBE0}, {0x2EBF0, 0x2EE5D}, {0x2F800, 0x2FA1D}, {0x30000, 0x3134A}, {0x31350, 0x323AF},
  };
  for (const Range& range : kRanges) {
    if (c <= range.last) return c >= range.first;
  }
  return false;
}

// A character whose classes do not let it into a word where it is Chinese.
inline words::Char CharOutsideHan(const char* p) {
  words::Char c = words::CharAt(p);
  if (c.size >= 3 && IsHan(utf8::DecodeValid(p).code_point)) c.classes &= static_cast<uint16_t>(~words::kBoth);
  return c;
}

struct KimiScanner {
  CasedScannerOf<CharOutsideHan> others;

  Match Next(const char* p, const char* end) const {
    const char* run = p;
    while (run < end && IsHan(utf8::DecodeValid(run).code_point)) run += utf8::DecodeValid(run).size;
    return run != p ? Match{p, run} : others.Next(p, end);
  }
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_HAN_SCANNER_H_
