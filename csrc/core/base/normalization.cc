#include <algorithm>

#include "core/base/normalization_tables.h"
#include "core/base/unicode_tables.h"

namespace mmcore {
namespace unicode {
namespace {

constexpr uint32_t kSyllables = 0xAC00, kLeading = 0x1100, kVowels = 0x1161, kTrailing = 0x11A7;

template <typename Row>
const Row* Find(Span<const Row> rows, uint32_t c) {
  const Row* row = std::lower_bound(rows.begin(), rows.end(), c,
                                    [](const Row& r, uint32_t value) { return r.code_point < value; });
  return row != rows.end() && row->code_point == c ? row : nullptr;
}

Span<const uint32_t> Entry(const Decomposition& row) {
  const uint32_t* entry = kDecompositionPool + row.entry;
  return {entry + 1, *entry};
}

// By second, then first: most code points are second of none or of few.
const Composition* FindPair(Span<const Composition> rows, uint32_t first, uint32_t second) {
  const Composition* row =
      std::lower_bound(rows.begin(), rows.end(), Composition{first, second, 0},
                       [](const Composition& a, const Composition& b) {
                         return a.second != b.second ? a.second < b.second : a.first < b.first;
                       });
  return row != rows.end() && row->first == first && row->second == second ? row : nullptr;
}

// Unicode 3.12, "Hangul syllable composition".
uint32_t ComposeHangul(uint32_t first, uint32_t second) {
  if (first - kLeading < 19 && second - kVowels < 21) {
    return kSyllables + ((first - kLeading) * 21 + (second - kVowels)) * 28;
  }
  const bool open = IsHangulSyllable(first) && (first - kSyllables) % 28 == 0;
  return open && second - kTrailing - 1 < 27 ? first + (second - kTrailing) : 0;
}

}  // namespace

uint8_t CombiningClass(uint32_t c, Edition edition) {
  if (edition == Edition::kUnicode) {
    if (const Combining* row = Find(kCombiningOfUnicode, c)) return static_cast<uint8_t>(row->combining_class);
  }
  return CombiningClass(c);
}

Span<const uint32_t> Decompose(uint32_t c, bool compatibility, Edition edition) {
  if (compatibility) {
    if (edition == Edition::kUnicode) {
      if (const Decomposition* row = Find(kNfkdOfUnicode, c)) return Entry(*row);
    }
    if (const Decomposition* row = Find(kNfkdOfHuggingFace, c)) return Entry(*row);
  }
  if (edition == Edition::kUnicode) {
    if (const Decomposition* row = Find(kNfdOfUnicode, c)) return Entry(*row);
  }
  return Nfd(c);
}

uint32_t Compose(uint32_t first, uint32_t second, Edition edition) {
  if (const uint32_t syllable = ComposeHangul(first, second)) return syllable;
  if (edition == Edition::kUnicode) {
    if (const Composition* row = FindPair(kCompositionsOfUnicode, first, second)) return row->composite;
  }
  const Composition* row = FindPair(kCompositionsOfHuggingFace, first, second);
  return row == nullptr ? 0 : row->composite;
}

}  // namespace unicode
}  // namespace mmcore
