// Where grapheme clusters begin and end, by the tables of Hugging Face tokenizers: see
// generate_grapheme_tables.py.
#ifndef MMCORE_CORE_BASE_GRAPHEME_TABLES_H_
#define MMCORE_CORE_BASE_GRAPHEME_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/api.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace unicode {

// Grapheme_Cluster_Break, without the regional indicators (see the generator).
enum class Grapheme : uint8_t {
  kOther, kControl, kExtend, kSpacingMark, kZwj, kPrepend, kPictographic, kL, kV, kT, kLv, kLvt
};

// Beside the class, in the same byte: Indic_Conjunct_Break; and general category M.
enum GraphemeFlag : uint8_t { kConsonant = 16, kLinker = 32, kConjunctExtend = 64, kCombiningMark = 128 };

extern MMCORE_API const uint8_t kGraphemeIndex[8704];
extern MMCORE_API const uint8_t kGraphemePages[];

inline uint8_t GraphemeByte(uint32_t c) { return kGraphemePages[size_t{kGraphemeIndex[c >> 7]} << 7 | (c & 127)]; }

inline Grapheme GraphemeClass(uint8_t byte) { return static_cast<Grapheme>(byte & 15); }

// Where the extended grapheme cluster ends that begins at `begin` of valid UTF-8.
// Source: Unicode Standard Annex 29, table 1c.
MMCORE_API size_t GraphemeEnd(std::string_view text, size_t begin);

}  // namespace unicode
}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_GRAPHEME_TABLES_H_
