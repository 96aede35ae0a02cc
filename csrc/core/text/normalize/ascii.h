// Eight bytes at a time: where a text is no longer ASCII.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_ASCII_H_
#define MMCORE_CORE_TEXT_NORMALIZE_ASCII_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mmcore {
namespace text {

// The first byte at `at` or later that is not ASCII, or the end of the text.
inline size_t FindNonAscii(std::string_view text, size_t at) {
  for (uint64_t word; text.size() - at >= sizeof(word); at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    if (word & 0x8080808080808080u) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_ASCII_H_
