// Trie: the longest of many byte strings that a text begins with. Edges live in one open-addressing table, so
// that a step is one probe and a vocabulary of 100,000 pieces takes a few megabytes.
#ifndef MMCORE_CORE_TEXT_TRIE_H_
#define MMCORE_CORE_TEXT_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mmcore {
namespace text {

class Trie {
 public:
  struct Match {
    int32_t id;   // -1: no string fits.
    size_t size;  // Its bytes.
  };

  Trie() : edges_(64), ids_(1, -1) {}

  // Of equal strings the last one counts. Empty strings are ignored.
  void Insert(std::string_view text, int32_t id) {
    if (text.empty()) return;
    uint32_t node = 0;
    for (const char c : text) node = Child(node, c);
    ids_[node] = id;
  }

  Match Longest(std::string_view text) const {
    Match best{-1, 0};
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const Edge& edge = edges_[Slot(Key(node, text[i]))];
      if (edge.child == 0) break;
      node = edge.child;
      if (ids_[node] >= 0) best = {ids_[node], i + 1};
    }
    return best;
  }

 private:
  struct Edge {
    uint64_t key = 0;
    uint32_t child = 0;  // 0: empty, since the root is nobody's child.
  };

  static uint64_t Key(uint32_t node, char c) {
    return static_cast<uint64_t>(node) << 8 | static_cast<unsigned char>(c);
  }

  size_t Slot(uint64_t key) const {
    const size_t mask = edges_.size() - 1;
    uint64_t hash = key * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      if (edges_[i].child == 0 || edges_[i].key == key) return i;
    }
  }

  uint32_t Child(uint32_t node, char c) {
    const uint64_t key = Key(node, c);
    size_t slot = Slot(key);
    if (edges_[slot].child != 0) return edges_[slot].child;
    if (2 * ids_.size() > edges_.size()) {
      Grow();
      slot = Slot(key);
    }
    const auto child = static_cast<uint32_t>(ids_.size());
    edges_[slot] = {key, child};
    ids_.push_back(-1);
    return child;
  }

  void Grow() {
    std::vector<Edge> old(2 * edges_.size());
    old.swap(edges_);
    for (const Edge& edge : old) {
      if (edge.child != 0) edges_[Slot(edge.key)] = edge;
    }
  }

  std::vector<Edge> edges_;
  std::vector<int32_t> ids_;  // By node.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TRIE_H_
