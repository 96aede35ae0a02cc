// The characters that stand for bytes in the tokens of byte-level vocabularies, since GPT-2.
#ifndef MMCORE_CORE_TEXT_DECODE_BYTE_CHARACTERS_H_
#define MMCORE_CORE_TEXT_DECODE_BYTE_CHARACTERS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {

// The byte that a character stands for, -1 where it stands for none: printable ones of Latin-1 stand for
// themselves, those from U+0100 on for the others in their order.
inline int ByteOfCharacter(uint32_t c) {
  const auto printable = [](uint32_t byte) {
    return (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte <= 0xFF && byte != 0xAD);
  };
  if (c <= 0xFF) return printable(c) ? static_cast<int>(c) : -1;
  const uint32_t n = c - 0x100;
  if (n <= 0x20) return static_cast<int>(n);
  if (n <= 0x42) return static_cast<int>(n - 0x21 + 0x7F);
  return n == 0x43 ? 0xAD : -1;
}

// The bytes that a token (valid UTF-8) spells, or itself where one of its characters stands for no byte.
inline std::string SpelledBytes(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const utf8::Decoded c = utf8::DecodeValid(token.data() + at);
    const int byte = ByteOfCharacter(c.code_point);
    if (byte < 0) return std::string(token);
    bytes.push_back(static_cast<char>(byte));
    at += c.size;
  }
  return bytes;
}

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_DECODE_BYTE_CHARACTERS_H_
