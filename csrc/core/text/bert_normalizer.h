// BERT's normalizer and pre-tokenizer as one pass: valid UTF-8 in, normalized words out.
// (Devlin et al., BERT, 2018, arXiv:1810.04805, and its tokenization.py; details as Hugging Face's
// BertNormalizer.)
#ifndef MMCORE_CORE_TEXT_BERT_NORMALIZER_H_
#define MMCORE_CORE_TEXT_BERT_NORMALIZER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {

// What an ASCII byte is to the words of BERT.
enum class BertClass : uint8_t { kWord, kSpace, kPunctuation, kOther };

constexpr std::array<BertClass, 256> MakeBertClasses() {
  std::array<BertClass, 256> table{};
  for (size_t c = 0; c < 256; ++c) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    table[c] = alphanumeric                               ? BertClass::kWord
               : c == ' ' || c == 9 || c == 10 || c == 13 ? BertClass::kSpace
               : c > ' ' && c < 127                       ? BertClass::kPunctuation
                                                          : BertClass::kOther;
  }
  return table;
}
inline constexpr std::array<BertClass, 256> kBertClasses = MakeBertClasses();

struct BertOptions {
  bool clean_text = false, split_ideographs = false, strip_accents = false, lowercase = false;
};

// Collects normalized characters into words. `Words` receives:
//   void Character(uint32_t c, size_t source)   one more normalized character of the current word, and where
//   the
//                                               character that it comes from begins in the text
//   bool EndWord()                              the word, if any, is complete; false: no more are wanted
//   size_t most_characters() const              of a word of more, no further ones are looked at
// Accents are stripped after decomposition, whose order depends on neighbours: what has a combining class
// waits until the next character that has none.
struct WaitingMark {
  uint8_t combining_class;
  uint32_t code_point;
  size_t source;
};

template <typename Words>
class BertNormalizer {
 public:
  BertNormalizer(const BertOptions& options, std::vector<WaitingMark>& waiting, Words& words)
      : options_(options), waiting_(waiting), words_(words) {
    waiting_.clear();
  }

  // The next character of the text, which begins at `source`. False: no more are wanted.
  bool Add(uint32_t c, size_t source) {
    source_ = source;
    const uint8_t flags = unicode::Flags(c);
    if (options_.clean_text) {
      if (c != '\t' && c != '\n' && c != '\r' && (flags & unicode::kRemoved)) return true;
      if (flags & unicode::kSpace) return Finish();
    }
    const bool alone = options_.split_ideographs && (flags & unicode::kIdeograph);
    if (alone && !Finish()) return false;
    const bool going = (flags & unicode::kMapped) && options_.strip_accents ? Decompose(c) : Place(c);
    return going && (!alone || Finish());
  }

  // Ends the current word: at white space and at the end of the text.
  bool Finish() { return FlushMarks() && words_.EndWord(); }

 private:
  bool Decompose(uint32_t c) {
    if (unicode::IsHangulSyllable(c)) {
      uint32_t parts[3];
      return PlaceAll({parts, unicode::NfdHangul(c, parts)});
    }
    const Span<const uint32_t> parts = unicode::Nfd(c);
    return parts.empty() ? Place(c) : PlaceAll(parts);
  }

  bool PlaceAll(Span<const uint32_t> parts) {
    for (const uint32_t part : parts) {
      if (!Place(part)) return false;
    }
    return true;
  }

  // A character of the decomposed text, in logical order.
  bool Place(uint32_t c) {
    if (!options_.strip_accents) return Emit(c, source_);
    const uint8_t combining_class = unicode::Flags(c) & unicode::kMapped ? unicode::CombiningClass(c) : 0;
    if (combining_class != 0) {
      // No mark ends a word, so that those beyond the limit change nothing, and a text of ten million takes no memory.
      const bool wanted = !(unicode::Flags(c) & unicode::kMark) && waiting_.size() <= words_.most_characters();
      if (wanted) waiting_.push_back({combining_class, c, source_});
      return true;
    }
    if (!FlushMarks()) return false;
    return (unicode::Flags(c) & unicode::kMark) || Emit(c, source_);
  }

  bool FlushMarks() {
    if (waiting_.empty()) return true;
    std::stable_sort(waiting_.begin(), waiting_.end(), [](const WaitingMark& a, const WaitingMark& b) {
      return a.combining_class < b.combining_class;
    });
    bool going = true;
    for (const WaitingMark& mark : waiting_) going = going && Emit(mark.code_point, mark.source);
    waiting_.clear();
    return going;
  }

  bool Emit(uint32_t c, size_t source) {
    if (!options_.lowercase || !(unicode::Flags(c) & unicode::kMapped)) return Split(c, source);
    const Span<const uint32_t> lower = unicode::Lower(c);
    if (lower.empty()) return Split(c, source);
    for (const uint32_t part : lower) {
      if (!Split(part, source)) return false;
    }
    return true;
  }

  // The pre-tokenizer: white space ends words, punctuation stands alone.
  bool Split(uint32_t c, size_t source) {
    const uint8_t flags = unicode::Flags(c);
    if (flags & unicode::kSpace) return words_.EndWord();
    const bool alone = flags & unicode::kPunctuation;
    if (alone && !words_.EndWord()) return false;
    words_.Character(c, source);
    return !alone || words_.EndWord();
  }

  const BertOptions& options_;
  std::vector<WaitingMark>& waiting_;
  Words& words_;
  size_t source_ = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_BERT_NORMALIZER_H_
