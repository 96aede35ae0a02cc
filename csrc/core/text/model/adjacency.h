// Adjacency: which symbols ever stand side by side inside a merged token. Between two that never do, nothing
// is ever merged: there a word can be cut and its parts merged on their own, with the same result.
#ifndef MMCORE_CORE_TEXT_MODEL_ADJACENCY_H_
#define MMCORE_CORE_TEXT_MODEL_ADJACENCY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/span.h"
#include "core/text/model/model_spec.h"

namespace mmcore {
namespace text {

class Adjacency {
 public:
  // Knows nothing: any two symbols may meet.
  Adjacency() : bits_(1, ~uint64_t{0}) {}

  // `initial`: ids of the symbols that words are spelled with, before any merge. `merges` in any order.
  Adjacency(Span<const Merge> merges, Span<const int32_t> initial, size_t vocab_size);

  // False only where no merge can ever join what ends with `left` to what begins with `right`. A set of
  // hashes: now and then true where false would be right, which costs time and changes nothing.
  bool MayMeet(int32_t left, int32_t right) const {
    const uint64_t bit = Bit(left, right);
    return (bits_[bit / 64] >> bit % 64 & 1) != 0;
  }

  // Whether some token has `symbol` right after another symbol (exact).
  bool FollowsAnother(int32_t symbol) const {
    return follows_another_.empty() || follows_another_[static_cast<size_t>(symbol)];
  }

 private:
  uint64_t Bit(int32_t left, int32_t right) const {
    const uint64_t pair = static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
    return (pair * 0x9E3779B97F4A7C15u) >> 40 & (bits_.size() * 64 - 1);
  }

  void Add(int32_t left, int32_t right);

  std::vector<uint64_t> bits_;
  std::vector<bool> follows_another_;  // By id; empty: not known.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_ADJACENCY_H_
