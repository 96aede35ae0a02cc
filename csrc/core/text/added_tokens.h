// AddedTokens: finds the tokens that stand in a text as themselves ("<|endoftext|>", "[MASK]") before the
// model sees it. Leftmost, then longest, as Hugging Face's added vocabulary.
#ifndef MMCORE_CORE_TEXT_ADDED_TOKENS_H_
#define MMCORE_CORE_TEXT_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/spec.h"

namespace mmcore {
namespace text {

// What is done about special tokens that are written in a text.
enum class SpecialText : uint8_t {
  kParse = 0,  // They become their ids.
  kText = 1,   // They are text like any other.
  kError = 2,  // InvalidArgument: for text that nobody vouches for.
};

class AddedTokens {
 public:
  struct Match {
    const AddedToken* token;  // nullptr: none found.
    size_t begin, end;        // With the white space that lstrip and rstrip swallow.
  };

  explicit AddedTokens(const std::vector<AddedToken>& tokens);

  bool empty() const { return tokens_.empty(); }

  // Calls on_text(piece) for what lies between added tokens and on_token(match) for each of these, in order,
  // while they return true. Throws InvalidArgument for a special token under kError.
  template <typename OnText, typename OnToken>
  bool Split(std::string_view text, SpecialText rule, const OnText& on_text, const OnToken& on_token) const {
    return SplitBy(early_, text, rule, on_token,
                   [&](std::string_view piece) { return SplitBy(late_, piece, rule, on_token, on_text); });
  }

 private:
  // Tokens that are searched together, by their first byte, longest first.
  struct Group {
    std::array<std::vector<const AddedToken*>, 256> by_first_byte;
    int only_first_byte = -1;  // Where all begin alike: then memchr finds them.
    size_t size = 0;

    void Add(const AddedToken& token);
    void Finish();
    size_t NextCandidate(std::string_view text, size_t from) const;
    const AddedToken* LongestAt(std::string_view text, size_t at) const;
  };

  // The first match that begins at or after `*cursor`; white space before `floor` is not swallowed.
  static Match Find(const Group& group, std::string_view text, size_t floor, size_t* cursor,
                    SpecialText rule);

  template <typename OnText, typename OnToken>
  static bool SplitBy(const Group& group, std::string_view text, SpecialText rule, const OnToken& on_token,
                      const OnText& on_text) {
    size_t done = 0;
    if (group.size != 0) {
      size_t cursor = 0;
      while (true) {
        const Match match = Find(group, text, done, &cursor, rule);
        if (match.token == nullptr) break;
        if (done < match.begin && !on_text(text.substr(done, match.begin - done))) return false;
        if (!on_token(match, text)) return false;
        done = match.end;
      }
    }
    return done >= text.size() || on_text(text.substr(done));
  }

  const std::vector<AddedToken>& tokens_;
  Group early_, late_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_ADDED_TOKENS_H_
