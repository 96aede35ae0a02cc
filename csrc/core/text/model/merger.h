// Merger: merges neighbouring symbols, always the pair of lowest rank, of equals the leftmost, until no pair
// has a rank: what byte-pair encoding does to a word.
#ifndef MMCORE_CORE_TEXT_MODEL_MERGER_H_
#define MMCORE_CORE_TEXT_MODEL_MERGER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/span.h"
#include "core/text/model/adjacency.h"
#include "core/text/pair_table.h"

namespace mmcore {
namespace text {

class Merger {
 public:
  // Has room for `capacity` merges.
  explicit Merger(size_t capacity) : ranks_(capacity) {}

  // `merges` by rank. `initial`: ids of the symbols that words are spelled with, for the places where words
  // can be cut.
  Merger(Span<const text::Merge> merges, Span<const int32_t> initial, size_t vocab_size);

  // The same with ranks[i] for the rank of merges[i]: equal ones in a row, where the leftmost pair goes first
  // whatever it makes.
  Merger(Span<const text::Merge> merges, Span<const uint32_t> ranks, Span<const int32_t> initial,
         size_t vocab_size);

  // Merges of one rank make the same token.
  void Add(const text::Merge& merge, uint32_t rank) {
    if (rank >= results_.size()) results_.resize(rank + size_t{1}, -1);
    ranks_.Insert(merge.left, merge.right, rank);
    results_[rank] = static_cast<int32_t>(merge.result);
  }

  // Merges `count` symbols in place; returns how many are left.
  size_t Merge(int32_t* ids, size_t count) const;

  // The same, but stops where only `least` symbols are left; knows of no cuts.
  size_t MergeDownTo(size_t least, int32_t* ids, size_t count) const;

  // The same as Merge; sizes[i], a number that belongs to symbol i, becomes the sum over the symbols merged to id i.
  size_t MergeWithSizes(int32_t* ids, uint32_t* sizes, size_t count) const;

  // The last place where `ids` can be cut without a change of the result: the symbols before it, 0 for none.
  size_t LastCut(const int32_t* ids, size_t count) const;

  const Adjacency& adjacency() const { return adjacency_; }

 private:
  class Heap;
  struct Window;

  static constexpr int32_t kSeveral = -2;
  static constexpr size_t kShort = 64;    // Up to here a linear search for the lowest rank beats a heap.
  static_assert(kMaxMerges < (size_t{1} << 31) / kShort, "a rank and a place fit into 31 bits");
  static constexpr size_t kWindow = 128;  // Symbols that are merged at a time: the first-level cache holds them.

  uint32_t RankOf(int32_t left, int32_t right) const {
    return ranks_.Rank(static_cast<uint32_t>(left), static_cast<uint32_t>(right));
  }

  // What a pair of that rank makes.
  int32_t Result(size_t rank, int32_t left, int32_t right) const {
    const int32_t result = results_[rank];
    return result != kSeveral ? result : static_cast<int32_t>(
        tied_results_.Rank(static_cast<uint32_t>(left), static_cast<uint32_t>(right)));
  }

  size_t MergeRun(int32_t* ids, size_t count) const;
  size_t MergeShort(int32_t* ids, size_t count, size_t least = 1) const;
  size_t MergeWindows(int32_t* ids, size_t count) const;

  PairTable ranks_;
  std::vector<int32_t> results_;  // By rank; kSeveral: tied_results_ has them by pair.
  PairTable tied_results_{0};
  Adjacency adjacency_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_MERGER_H_
