// Walks the characters of a text that somebody cares for.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_CHARACTERS_H_
#define MMCORE_CORE_TEXT_NORMALIZE_CHARACTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {

// First bytes of characters in UTF-8.
using LeadBytes = std::array<bool, 256>;

// The first bytes of all characters with a property. Looks at every code point: make one once in a process.
template <typename Property>
LeadBytes LeadBytesOf(Property has) {
  LeadBytes leads{};
  for (uint32_t c = 0; c < 0x110000; ++c) {
    if (!has(c)) continue;
    char bytes[4];
    utf8::Encode(c, bytes);
    leads[static_cast<unsigned char>(bytes[0])] = true;
  }
  return leads;
}

// Calls visit(code_point, begin, end) for each character of valid UTF-8 whose first byte is in `leads`.
template <typename Visit>
void VisitCharacters(std::string_view text, const LeadBytes& leads, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    if (!leads[static_cast<unsigned char>(text[at])]) {
      ++at;  // Continuation bytes are in no such set.
      continue;
    }
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    visit(c.code_point, at, at + c.size);
    at += c.size;
  }
}

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_CHARACTERS_H_
