// PairTable: (left id, right id) -> rank of the merge. Eight bytes a slot: two ids of 21 bits and a rank of
// 22, so that the 50,000 merges of GPT-2 take 1 MB and a probe touches one cache line.
#ifndef MMCORE_CORE_TEXT_PAIR_TABLE_H_
#define MMCORE_CORE_TEXT_PAIR_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/spec.h"

namespace mmcore {
namespace text {

class PairTable {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  static_assert(kMaxVocabSize <= size_t{1} << 21 && kMaxMerges < size_t{1} << 22, "a slot holds them");

  explicit PairTable(size_t capacity) {
    size_t slots = 64;
    shift_ = 64 - 6;
    for (; slots < 2 * capacity; slots *= 2) --shift_;
    slots_.assign(slots, kEmpty);
  }

  // Of equal pairs the last one counts.
  void Insert(uint32_t left, uint32_t right, uint32_t rank) {
    slots_[Slot(Pair(left, right))] = Pair(left, right) << 22 | rank;
  }

  uint32_t Rank(uint32_t left, uint32_t right) const {
    const uint64_t slot = slots_[Slot(Pair(left, right))];
    return slot == kEmpty ? kNone : static_cast<uint32_t>(slot & 0x3FFFFF);
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  static uint64_t Pair(uint32_t left, uint32_t right) { return static_cast<uint64_t>(left) << 21 | right; }

  size_t Slot(uint64_t pair) const {
    const size_t mask = slots_.size() - 1;
    for (size_t i = (pair * 0x9E3779B97F4A7C15u) >> shift_;; i = (i + 1) & mask) {
      if (slots_[i] == kEmpty || slots_[i] >> 22 == pair) return i;
    }
  }

  std::vector<uint64_t> slots_;
  unsigned shift_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_PAIR_TABLE_H_
