// PieceTrie: the scored pieces that a text goes on with, found byte by byte. A double array: a step is one
// addition and one comparison, and a vocabulary of 32,000 pieces takes about two megabytes.
#ifndef MMCORE_CORE_TEXT_MODEL_PIECE_TRIE_H_
#define MMCORE_CORE_TEXT_MODEL_PIECE_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace mmcore {
namespace text {

struct ScoredPiece {
  std::string_view text;
  int32_t id;
  double score;  // Finite.
};

class PieceTrie {
 public:
  static constexpr uint32_t kRoot = 0;  // Also "no such node": the root is nobody's child.
  static constexpr double kNoPiece = -std::numeric_limits<double>::infinity();
  static constexpr size_t kMaxNodes = size_t{1} << 24;

  // Of equal texts the last one counts; an empty one is ignored. Throws LimitError where the pieces have more
  // beginnings than kMaxNodes.
  explicit PieceTrie(const std::vector<ScoredPiece>& pieces);

  // The node that `c` leads to, or kRoot.
  uint32_t Step(uint32_t node, char c) const {
    const uint32_t child = nodes_[node].base + static_cast<unsigned char>(c);
    return nodes_[child].parent == node ? child : kRoot;
  }

  double score(uint32_t node) const { return nodes_[node].score; }  // kNoPiece where no piece ends.
  int32_t id(uint32_t node) const { return ends_[node].id; }
  size_t size(uint32_t node) const { return ends_[node].size; }  // Bytes of the piece that ends here.
  size_t max_size() const { return max_size_; }

  // The id of the piece that is `text`, or -1.
  int32_t Find(std::string_view text) const {
    uint32_t node = kRoot;
    for (const char c : text) {
      node = Step(node, c);
      if (node == kRoot) return -1;
    }
    return node != kRoot && score(node) != kNoPiece ? id(node) : -1;
  }

 private:
  class Builder;

  // 16 bytes: what a step and the search for the best path need lies in one cache line.
  struct Node {
    uint32_t base;    // The child for byte c is at base + c.
    uint32_t parent;  // Says whether the node is that child.
    double score;
  };
  struct End {
    int32_t id;
    uint32_t size;
  };

  std::vector<Node> nodes_;
  std::vector<End> ends_;
  size_t max_size_ = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_PIECE_TRIE_H_
