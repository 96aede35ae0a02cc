// CharsMap: the character map of a SentencePiece model: strings, found by the bytes that a text goes on with, and
// what they become.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_CHARSMAP_H_
#define MMCORE_CORE_TEXT_NORMALIZE_CHARSMAP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mmcore {
namespace text {

// `precompiled_charsmap`: the size of a trie in bytes, a double-array trie (darts-clone) from UTF-8 to places in
// a pool of strings that end with NUL, and the pool. Whatever is in a damaged one, what is found is UTF-8.
class CharsMap {
 public:
  // What the first `size` bytes of a text become; 0 bytes: no key fits.
  struct Rule {
    std::string_view text;
    size_t size = 0;
  };

  // Has no keys.
  CharsMap() = default;

  // Throws DataError where the sizes do not fit or the pool is no UTF-8.
  explicit CharsMap(std::string_view blob);

  // By the shortest and the longest key that begin `text`.
  Rule Shortest(std::string_view text) const;
  Rule Longest(std::string_view text) const;

  // Whether some key begins with `c`, and whether one does that is `c` or goes on with ASCII.
  bool HasKeys(char c) const;
  bool HasAsciiKeys(char c) const;

 private:
  template <typename Visit>
  void Walk(std::string_view text, const Visit& visit) const;
  size_t Child(size_t offset, unsigned char label) const;
  bool Find(size_t place, std::string_view* found) const;

  std::vector<uint32_t> units_;
  std::string pool_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_CHARSMAP_H_
