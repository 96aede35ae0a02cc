// WordTable: words of up to 12 bytes that are one token each. Built once, read by any number of threads.
#ifndef MMCORE_CORE_TEXT_WORD_TABLE_H_
#define MMCORE_CORE_TEXT_WORD_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/word_key.h"

namespace mmcore {
namespace text {

class WordTable {
 public:
  static constexpr size_t kMaxBytes = 12;

  explicit WordTable(size_t capacity) {
    size_t slots = 64;
    while (slots < 2 * capacity) slots *= 2;
    entries_.resize(slots);
  }

  // Of equal words the last one counts.
  void Insert(const WordKey& key, int32_t id) {
    Entry& entry = entries_[Slot(key, Hash(key))];
    entry = {key.a, static_cast<uint32_t>(key.b), static_cast<uint32_t>(id) << 4 | key.size};
  }

  // -1 where the word is not there. The key has 1 to kMaxBytes bytes.
  int32_t Find(const WordKey& key) const { return Find(key, Hash(key)); }
  int32_t Find(const WordKey& key, uint64_t hash) const {
    const uint32_t meta = entries_[Slot(key, hash)].meta;
    return meta == 0 ? -1 : static_cast<int32_t>(meta >> 4);
  }

  // Fetches what a search for the word with this hash looks at first.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&entries_[hash & (entries_.size() - 1)]); }

 private:
  // 16 bytes, so that four share a cache line and none straddles two. meta: id << 4 | size; 0: empty.
  struct Entry {
    uint64_t head = 0;
    uint32_t tail = 0;
    uint32_t meta = 0;
  };

  size_t Slot(const WordKey& key, uint64_t hash) const {
    const size_t mask = entries_.size() - 1;
    for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
      const Entry& entry = entries_[slot];
      if (entry.meta == 0) return slot;
      if (entry.head == key.a && entry.tail == static_cast<uint32_t>(key.b) &&
          (entry.meta & 15) == key.size) {
        return slot;
      }
    }
  }

  std::vector<Entry> entries_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORD_TABLE_H_
