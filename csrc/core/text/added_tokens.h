// AddedTokens: finds the tokens that stand in a text as themselves ("<|endoftext|>", "[MASK]") before the
// model sees it. Leftmost, then longest, as Hugging Face's added vocabulary.
#ifndef MMCORE_CORE_TEXT_ADDED_TOKENS_H_
#define MMCORE_CORE_TEXT_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/span.h"
#include "core/text/model.h"
#include "core/text/spec.h"
#include "core/text/trie.h"

namespace mmcore {
namespace text {

// What is done about special tokens that are written in a text.
enum class SpecialText : uint8_t {
  kParse = 0,  // They become their ids.
  kText = 1,   // They are text like any other.
  kError = 2,  // InvalidArgument: for text that nobody vouches for.
};

// The rule for a text, and where in it another one holds: in `plain` special tokens are text, whatever the rule
// (what users wrote, between markers of a conversation). Only for tracked pieces.
struct SpecialRule {
  SpecialRule(SpecialText text_rule, Span<const Offset> plain_parts = {})  // NOLINT: implicit
      : rule(text_rule), plain(plain_parts) {}

  bool IsText(const TextPiece& piece, size_t begin, size_t end) const {
    if (rule == SpecialText::kText) return true;
    for (const Offset& part : plain) {
      if (piece.origins[begin].begin < part.end && part.begin < piece.origins[end - 1].end) return true;
    }
    return false;
  }

  SpecialText rule;
  Span<const Offset> plain;
};

class AddedTokens {
 public:
  struct Match {
    const AddedToken* token;  // nullptr: none found.
    size_t begin, end;        // With the white space that lstrip and rstrip swallow.
  };

  // Finds `token`, which stays alive as long as this does, where `content` stands. Of tokens with equal content
  // the first one is found.
  void Add(const AddedToken& token, std::string_view content);

  // Calls on_text(part) for what lies between added tokens and on_token(token, part) for each of these, in
  // order, while they return true. A token of white space is found even where the one before has swallowed it, as
  // in Hugging Face. Throws InvalidArgument for a special token under kError.
  template <typename OnText, typename OnToken>
  bool Split(const TextPiece& piece, const SpecialRule& rule, const OnText& on_text, const OnToken& on_token) const {
    Progress progress;
    while (!tokens_.empty()) {
      const size_t done = progress.done;
      const Match match = Find(piece, rule, progress);
      if (match.token == nullptr) break;
      if (match.begin >= match.end) continue;
      if (done < match.begin && !on_text(piece.Sub(done, match.begin))) return false;
      if (!on_token(*match.token, piece.Sub(match.begin, match.end))) return false;
    }
    const size_t done = progress.done;
    return done >= piece.text.size() || on_text(piece.Sub(done, piece.text.size()));
  }

 private:
  size_t NextCandidate(std::string_view text, size_t from) const;

  struct Progress {
    size_t cursor = 0;     // Where the next match may begin.
    size_t done = 0;       // Text up to here is part of a match or was given as text. May be set back.
    size_t space_end = 0;  // Of the run of white space that was swallowed last: no run is read twice.
  };

  // The first match that begins at the cursor or after it; white space that is done is not swallowed.
  Match Find(const TextPiece& piece, const SpecialRule& rule, Progress& progress) const;
  size_t SwallowForward(std::string_view text, size_t at, Progress& progress) const;

  std::vector<const AddedToken*> tokens_;
  Trie contents_;  // -> index of the token.
  std::array<bool, 256> is_first_byte_{};
  int only_first_byte_ = -1;  // Where all begin alike: then memchr finds them.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_ADDED_TOKENS_H_
