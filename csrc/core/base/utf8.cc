#include "core/base/utf8.h"

#include <cstring>

namespace mmcore {
namespace utf8 {
namespace {

struct Subpart {
  size_t size;
  bool valid;
};

// The character at `p`, or the maximal subpart of an ill-formed one (table 3-7 of the Unicode standard: only
// the second byte has a range that depends on the first).
Subpart Next(const unsigned char* p, size_t left) {
  const unsigned char lead = p[0];
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (left < 2 || p[1] < low || p[1] > high) return {1, false};
  for (size_t i = 2; i < size; ++i) {
    if (i >= left || (p[i] & 0xC0) != 0x80) return {i, false};
  }
  return {size, true};
}

}  // namespace

size_t ValidPrefix(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const size_t size = text.size();
  size_t i = 0;
  while (i < size) {
    uint64_t word;
    if (size - i >= sizeof(word)) {
      std::memcpy(&word, p + i, sizeof(word));
      if ((word & 0x8080808080808080u) == 0) {
        i += sizeof(word);
        continue;
      }
    }
    const Subpart part = Next(p + i, size - i);
    if (!part.valid) return i;
    i += part.size;
  }
  return size;
}

std::string Repair(std::string_view text, std::vector<Replacement>* replacements) {
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t i = 0; i < text.size();) {
    const size_t valid = ValidPrefix(text.substr(i));
    out.append(text, i, valid);
    i += valid;
    if (i == text.size()) break;
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    i += Next(p + i, text.size() - i).size;
    out += "\xEF\xBF\xBD";
    if (replacements != nullptr) replacements->push_back({out.size(), i});
  }
  return out;
}

}  // namespace utf8
}  // namespace mmcore
