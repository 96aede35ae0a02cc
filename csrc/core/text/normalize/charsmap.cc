#include "core/text/normalize/charsmap.h"

#include <algorithm>

#include "core/base/errors.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr size_t kMaxKeyBytes = 512;  // Real keys have some 20; a damaged trie may go round in circles.
constexpr size_t kNoUnit = SIZE_MAX;

uint32_t ReadU32(std::string_view blob, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(blob[at + i])) << (8 * i);
  }
  return value;
}

// The fields of a unit of the trie, as darts-clone packs them. A key's value is at the unit's offset.
uint32_t LabelOf(uint32_t unit) { return unit & (1u << 31 | 0xFF); }
bool HasValue(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t OffsetOf(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }

}  // namespace

CharsMap::CharsMap(std::string_view blob) {
  const size_t trie_bytes = blob.size() < 4 ? 0 : ReadU32(blob, 0);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > blob.size() - 4) {
    throw DataError("precompiled_charsmap must begin with the size of a trie of 4-byte units within its " +
                    std::to_string(blob.size()) + " bytes, found " + std::to_string(trie_bytes) +
                    ": take the file from its source again");
  }
  units_.resize(trie_bytes / 4);
  for (size_t i = 0; i < units_.size(); ++i) units_[i] = ReadU32(blob, 4 + 4 * i);
  pool_ = blob.substr(4 + trie_bytes);
  const size_t valid = utf8::ValidPrefix(pool_);
  if (valid != pool_.size()) {
    throw DataError("precompiled_charsmap maps to bytes that are not UTF-8, at byte " +
                    std::to_string(4 + trie_bytes + valid) + ": take the file from its source again");
  }
}

// The unit for `label` below a unit of that offset, or kNoUnit. No key has a NUL.
size_t CharsMap::Child(size_t offset, unsigned char label) const {
  const size_t place = offset ^ label;
  return label != 0 && place < units_.size() && LabelOf(units_[place]) == label ? place : kNoUnit;
}

// The string that the value at `place` leads to. False where the map is damaged.
bool CharsMap::Find(size_t place, std::string_view* found) const {
  if (place >= units_.size()) return false;
  const size_t begin = units_[place] & ~(1u << 31);
  if (begin >= pool_.size() || utf8::IsContinuation(pool_[begin])) return false;
  *found = std::string_view(pool_).substr(begin, std::min(pool_.find('\0', begin), pool_.size()) - begin);
  return true;
}

// Calls visit(bytes, place of the value) for each key that begins `text`, shortest first, until it says false.
template <typename Visit>
void CharsMap::Walk(std::string_view text, const Visit& visit) const {
  if (units_.empty()) return;
  size_t offset = OffsetOf(units_[0]);
  for (size_t i = 0; i < std::min(text.size(), kMaxKeyBytes); ++i) {
    const size_t place = Child(offset, static_cast<unsigned char>(text[i]));
    if (place == kNoUnit) return;
    offset = place ^ OffsetOf(units_[place]);
    if (HasValue(units_[place]) && !visit(i + 1, offset)) return;
  }
}

CharsMap::Rule CharsMap::Shortest(std::string_view text) const {
  Rule rule;
  Walk(text, [&](size_t size, size_t place) {
    if (Find(place, &rule.text)) rule.size = size;
    return false;
  });
  return rule;
}

CharsMap::Rule CharsMap::Longest(std::string_view text) const {
  Rule rule;
  Walk(text, [&](size_t size, size_t place) {
    if (Find(place, &rule.text)) rule.size = size;
    return true;
  });
  // A damaged map might end within a character.
  if (rule.size < text.size() && utf8::IsContinuation(text[rule.size])) return {};
  return rule;
}

bool CharsMap::HasKeys(char c) const {
  return !units_.empty() && Child(OffsetOf(units_[0]), static_cast<unsigned char>(c)) != kNoUnit;
}

bool CharsMap::HasAsciiKeys(char c) const {
  if (!HasKeys(c)) return false;
  const size_t place = Child(OffsetOf(units_[0]), static_cast<unsigned char>(c));
  if (HasValue(units_[place])) return true;
  const size_t offset = place ^ OffsetOf(units_[place]);
  for (unsigned char next = 1; next < 128; ++next) {
    if (Child(offset, next) != kNoUnit) return true;
  }
  return false;
}

}  // namespace text
}  // namespace mmcore
