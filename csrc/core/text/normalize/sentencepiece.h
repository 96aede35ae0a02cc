// SentencePiece's normalizer: its character map applied to the longest match at each place, spaces stripped and
// collapsed, spaces written as U+2581. Hugging Face's Precompiled applies the same map by other rules.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_SENTENCEPIECE_H_
#define MMCORE_CORE_TEXT_NORMALIZE_SENTENCEPIECE_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/text/normalize/charsmap.h"
#include "core/text/normalize/normalizer.h"
#include "core/text/trie.h"

namespace mmcore {
namespace text {

struct SentencePieceOptions {
  bool add_dummy_prefix = false;          // A space before the text, or
  bool space_as_suffix = false;           // after it.
  bool remove_extra_whitespaces = false;  // At both ends, and all but the first of several.
  bool escape_whitespaces = false;        // A space becomes U+2581.
  std::vector<std::string_view> symbols;  // Stay as they are. Valid UTF-8, none empty. May go afterwards.
  std::string_view charsmap;              // See CharsMap; empty: none.
};

class SentencePieceNormalizer final : public Normalizer {
 public:
  // Throws DataError where the character map is malformed.
  explicit SentencePieceNormalizer(const SentencePieceOptions& options);

  bool Apply(const Draft& in, Draft& out) const override;

 private:
  class Bytes;
  class Tracked;

  // Whether a byte begins what stays as it is.
  enum class Stay : unsigned char { kMaybe, kBeforeAscii, kAlways };

  static bool Stays(Stay stay, std::string_view text, size_t at);
  CharsMap::Rule Next(std::string_view text) const;
  template <typename Out>
  void Write(const Draft& in, size_t begin, Out out) const;
  template <typename Out>
  void WriteRule(std::string_view text, size_t begin, size_t end, Out& out) const;

  bool prefix_, suffix_, strip_;
  std::string_view space_;
  Trie symbols_;
  bool has_symbols_;
  CharsMap map_;
  std::array<Stay, 256> stay_;  // By byte; a space never does, it has rules of its own.
  Stay space_stays_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_SENTENCEPIECE_H_
