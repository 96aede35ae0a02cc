// PairCounts: how often each pair of ids is seen. Open addressing.
#ifndef MMCORE_CORE_TEXT_TRAIN_PAIR_COUNTS_H_
#define MMCORE_CORE_TEXT_TRAIN_PAIR_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mmcore {
namespace text {

using Pair = uint64_t;  // left << 32 | right: compares as (left, right).

inline Pair MakePair(uint32_t left, uint32_t right) { return static_cast<Pair>(left) << 32 | right; }
inline uint32_t Left(Pair pair) { return static_cast<uint32_t>(pair >> 32); }
inline uint32_t Right(Pair pair) { return static_cast<uint32_t>(pair); }

class PairCounts {
 public:
  PairCounts() : slots_(1 << 16) {}

  int64_t& operator[](Pair pair) {
    if (2 * size_ > slots_.size()) Grow();
    Slot& slot = slots_[Find(pair)];
    if (slot.pair == kEmpty) {
      slot.pair = pair;
      ++size_;
    }
    return slot.count;
  }

 private:
  static constexpr Pair kEmpty = ~Pair{0};

  struct Slot {
    Pair pair = kEmpty;
    int64_t count = 0;
  };

  size_t Find(Pair pair) const {
    const size_t mask = slots_.size() - 1;
    uint64_t hash = pair * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    size_t i = hash & mask;
    while (slots_[i].pair != kEmpty && slots_[i].pair != pair) i = (i + 1) & mask;
    return i;
  }

  void Grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.pair != kEmpty) slots_[Find(slot.pair)] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TRAIN_PAIR_COUNTS_H_
