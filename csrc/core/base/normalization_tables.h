// Decompositions, combining classes and compositions of code points, in two editions that differ in few: see
// generate_normalization_tables.py for where the values come from.
#ifndef MMCORE_CORE_BASE_NORMALIZATION_TABLES_H_
#define MMCORE_CORE_BASE_NORMALIZATION_TABLES_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/span.h"

namespace mmcore {
namespace unicode {

// The four normalization forms (Unicode Standard Annex 15). Composing forms are odd, compatibility forms 2
// and 3.
enum class Form : uint8_t { kNfd = 0, kNfc = 1, kNfkd = 2, kNfkc = 3 };

// Whose tables: those that Hugging Face tokenizers carries, or those of the Unicode version in the first line
// of normalization_tables.cc.
enum class Edition : uint8_t { kHuggingFace = 0, kUnicode = 1 };

inline bool Composes(Form form) { return static_cast<uint8_t>(form) & 1; }
inline bool IsCompatibility(Form form) { return static_cast<uint8_t>(form) & 2; }

struct Decomposition {
  uint32_t code_point, entry;  // In the pool; 0: maps to itself.
};

struct Combining {
  uint32_t code_point, combining_class;
};

struct Composition {
  uint32_t first, second, composite;  // composite 0: the two do not compose.
};

extern MMCORE_API const uint8_t kUnstableIndex[8704];
extern MMCORE_API const uint8_t kUnstablePages[];
extern MMCORE_API const uint8_t kUnstableLead[256];
extern MMCORE_API const uint32_t kDecompositionPool[];
// Sorted. Compatibility decompositions are listed where they are not the canonical one of unicode::Nfd; the
// lists of the Unicode edition hold what differs from Hugging Face's.
extern MMCORE_API const Span<const Decomposition> kNfkdOfHuggingFace, kNfdOfUnicode, kNfkdOfUnicode;
extern MMCORE_API const Span<const Combining> kCombiningOfUnicode;
extern MMCORE_API const Span<const Composition> kCompositionsOfHuggingFace, kCompositionsOfUnicode;

// The bit of `UnstableForms` for a form in an edition.
inline uint8_t UnstableBit(Form form, Edition edition) {
  return static_cast<uint8_t>(1 << (static_cast<int>(form) + 4 * static_cast<int>(edition)));
}

// One bit for each form and edition: set where normalizing can change the code point, or move it, or join it to
// what is before it. A text of others is normalized.
inline uint8_t UnstableForms(uint32_t c) { return kUnstablePages[size_t{kUnstableIndex[c >> 7]} << 7 | (c & 127)]; }

// The canonical combining class.
MMCORE_API uint8_t CombiningClass(uint32_t c, Edition edition);

// The full decomposition, empty where the code point maps to itself; not for Hangul syllables.
MMCORE_API Span<const uint32_t> Decompose(uint32_t c, bool compatibility, Edition edition);

// The primary composite of two code points, 0 where there is none; Hangul included.
MMCORE_API uint32_t Compose(uint32_t first, uint32_t second, Edition edition);

}  // namespace unicode
}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_NORMALIZATION_TABLES_H_
