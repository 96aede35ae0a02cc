// UTF-8: decoding, encoding, and the one rule for bytes that are not UTF-8: each maximal invalid subpart
// becomes U+FFFD (Unicode 3.9, "substitution of maximal subparts"; what Python's errors="replace" does).
#ifndef MMCORE_CORE_BASE_UTF8_H_
#define MMCORE_CORE_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/api.h"

namespace mmcore {
namespace utf8 {

constexpr uint32_t kReplacement = 0xFFFD;

struct Decoded {
  uint32_t code_point;
  uint32_t size;  // Bytes taken, 1 to 4.
};

// Decodes the character at `p`, which is the first byte of one in valid UTF-8.
inline Decoded DecodeValid(const char* p) {
  const auto byte = [p](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(p[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

inline bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Writes 1 to 4 bytes to `out`, returns how many.
inline size_t Encode(uint32_t c, char* out) {
  const auto put = [out](int i, uint32_t v) { out[i] = static_cast<char>(static_cast<unsigned char>(v)); };
  if (c < 0x80) return put(0, c), 1;
  if (c < 0x800) return put(0, 0xC0 | c >> 6), put(1, 0x80 | (c & 0x3F)), 2;
  if (c < 0x10000) {
    return put(0, 0xE0 | c >> 12), put(1, 0x80 | (c >> 6 & 0x3F)), put(2, 0x80 | (c & 0x3F)), 3;
  }
  return put(0, 0xF0 | c >> 18), put(1, 0x80 | (c >> 12 & 0x3F)), put(2, 0x80 | (c >> 6 & 0x3F)),
         put(3, 0x80 | (c & 0x3F)), 4;
}

// Bytes of the longest valid prefix: text.size() where all of it is valid.
MMCORE_API size_t ValidPrefix(std::string_view text);

// One replacement: the three bytes that end at `repaired_end` stand for the invalid ones that end at
// `original_end`.
struct Replacement {
  size_t repaired_end, original_end;
};

// `text` with each maximal invalid subpart replaced by U+FFFD. `replacements`, where given, receives them in
// order.
MMCORE_API std::string Repair(std::string_view text, std::vector<Replacement>* replacements = nullptr);

}  // namespace utf8
}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_UTF8_H_
