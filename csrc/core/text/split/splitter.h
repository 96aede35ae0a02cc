// Splitter: one step that cuts a normalized text into words.
#ifndef MMCORE_CORE_TEXT_SPLIT_SPLITTER_H_
#define MMCORE_CORE_TEXT_SPLIT_SPLITTER_H_

#include <cstddef>
#include <string_view>
#include <vector>

namespace mmcore {
namespace text {

// Bytes [begin, end) of a normalized text.
struct Cut {
  size_t begin, end;
};

// Const and safe from any number of threads.
class Splitter {
 public:
  virtual ~Splitter() = default;

  // Appends the words of bytes [begin, end) of `text` (valid UTF-8, cut between characters), in order, none
  // empty. What is in no word is dropped. Looks at no byte outside of [begin, end).
  virtual void Split(std::string_view text, size_t begin, size_t end, std::vector<Cut>& words) const = 0;

  // The same, but a splitter may stop once `words` has `most` words: returns where to go on, `end` where nothing
  // is left. So a long text takes no memory for all of its words, and no time where the first ones are enough.
  virtual size_t SplitSome(std::string_view text, size_t begin, size_t end, [[maybe_unused]] size_t most,
                           std::vector<Cut>& words) const {
    Split(text, begin, end, words);
    return end;
  }
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_SPLITTER_H_
