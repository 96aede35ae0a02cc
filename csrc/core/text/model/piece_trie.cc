#include "core/text/model/piece_trie.h"

#include <algorithm>
#include <string>

#include "core/base/errors.h"

namespace mmcore {
namespace text {
namespace {

constexpr uint32_t kFree = 0xFFFFFFFF;
constexpr size_t kTries = 64;  // Free places tried before the array grows: bounds the time of any vocabulary.
constexpr size_t kLabels = 256;

// Sorted by text, of equal ones the last, none empty.
std::vector<ScoredPiece> Sorted(std::vector<ScoredPiece> pieces) {
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const ScoredPiece& a, const ScoredPiece& b) { return a.text < b.text; });
  std::vector<ScoredPiece> kept;
  kept.reserve(pieces.size());
  for (const ScoredPiece& piece : pieces) {
    if (piece.text.empty()) continue;
    if (!kept.empty() && kept.back().text == piece.text) kept.pop_back();
    kept.push_back(piece);
  }
  return kept;
}

}  // namespace

// Places nodes breadth first. Free places form a list, so that nodes with few children fill the holes.
class PieceTrie::Builder {
 public:
  explicit Builder(PieceTrie& trie) : trie_(trie) {}

  void Build(const std::vector<ScoredPiece>& pieces) {
    Grow(1);
    Take(kRoot, kRoot);
    std::vector<Range> waiting = {{kRoot, 0, pieces.size(), 0}};
    for (size_t i = 0; i < waiting.size(); ++i) {
      const Range range = waiting[i];
      AddChildren(pieces, range, waiting);
    }
    // So that base + c is a place for every node and byte.
    Grow(trie_.nodes_.size() + kLabels);
  }

 private:
  // The pieces [begin, end) go through `node`, which is `depth` bytes deep.
  struct Range {
    uint32_t node;
    size_t begin, end, depth;
  };

  void AddChildren(const std::vector<ScoredPiece>& pieces, Range range, std::vector<Range>& waiting) {
    if (pieces[range.begin].text.size() == range.depth) {
      const ScoredPiece& piece = pieces[range.begin++];
      trie_.nodes_[range.node].score = piece.score;
      trie_.ends_[range.node] = {piece.id, static_cast<uint32_t>(range.depth)};
    }
    const size_t first = waiting.size();
    labels_.clear();
    for (size_t i = range.begin; i < range.end; ++i) {
      const auto label = static_cast<unsigned char>(pieces[i].text[range.depth]);
      if (labels_.empty() || labels_.back() != label) {
        labels_.push_back(label);
        waiting.push_back({0, i, i, range.depth + 1});
      }
      waiting.back().end = i + 1;
    }
    if (labels_.empty()) return;
    const uint32_t base = FindBase();
    trie_.nodes_[range.node].base = base;
    for (size_t i = 0; i < labels_.size(); ++i) {
      waiting[first + i].node = base + labels_[i];
      Take(base + labels_[i], range.node);
    }
  }

  // Where all of labels_ find a free place; at least 1.
  uint32_t FindBase() {
    uint32_t place = head_;
    for (size_t i = 0; i < kTries && place != kFree; ++i, place = next_[place]) {
      if (place <= labels_[0]) continue;
      const uint32_t base = place - labels_[0];
      if (std::all_of(labels_.begin(), labels_.end(), [&](uint32_t label) { return IsFree(base + label); })) {
        Grow(base + labels_.back() + 1);
        return base;
      }
    }
    const size_t base = std::max<size_t>(trie_.nodes_.size(), labels_[0] + 1u) - labels_[0];
    Grow(base + labels_.back() + 1);
    return static_cast<uint32_t>(base);
  }

  bool IsFree(size_t place) const {
    return place >= trie_.nodes_.size() || trie_.nodes_[place].parent == kFree;
  }

  void Grow(size_t size) {
    if (size > kMaxNodes) {
      throw LimitError("the pieces of the vocabulary have too many different beginnings, the limit is " +
                       std::to_string(kMaxNodes) + " trie nodes");
    }
    for (size_t place = trie_.nodes_.size(); place < size; ++place) {
      trie_.nodes_.push_back({1, kFree, kNoPiece});
      trie_.ends_.push_back({-1, 0});
      next_.push_back(kFree);
      previous_.push_back(tail_);
      (tail_ == kFree ? head_ : next_[tail_]) = static_cast<uint32_t>(place);
      tail_ = static_cast<uint32_t>(place);
    }
  }

  void Take(uint32_t place, uint32_t parent) {
    trie_.nodes_[place].parent = parent;
    const uint32_t before = previous_[place], after = next_[place];
    (before == kFree ? head_ : next_[before]) = after;
    (after == kFree ? tail_ : previous_[after]) = before;
  }

  PieceTrie& trie_;
  std::vector<unsigned char> labels_;
  std::vector<uint32_t> next_, previous_;
  uint32_t head_ = kFree, tail_ = kFree;
};

PieceTrie::PieceTrie(const std::vector<ScoredPiece>& pieces) {
  const std::vector<ScoredPiece> sorted = Sorted(pieces);
  Builder builder(*this);
  if (sorted.empty()) {
    builder.Build({{"\x01", -1, kNoPiece}});
    return;
  }
  builder.Build(sorted);
  for (const ScoredPiece& piece : sorted) max_size_ = std::max(max_size_, piece.text.size());
  nodes_.shrink_to_fit();
  ends_.shrink_to_fit();
}

}  // namespace text
}  // namespace mmcore
