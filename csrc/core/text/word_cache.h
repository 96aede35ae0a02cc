// WordCache: words of up to 24 bytes and their up to 9 ids, learnt while encoding. Bounded: a new word takes
// the place of the one that hashes alike. Belongs to one thread at a time (see Workspace), so it needs no
// locks.
#ifndef MMCORE_CORE_TEXT_WORD_CACHE_H_
#define MMCORE_CORE_TEXT_WORD_CACHE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/buffer.h"
#include "core/base/span.h"
#include "core/text/word_key.h"

namespace mmcore {
namespace text {

class WordCache {
 public:
  static constexpr size_t kMaxIds = 9;

  WordCache() : entries_(kSlots) {
    for (size_t i = 0; i < kSlots; ++i) entries_[i].size = 0;
  }

  // Empty where the word is not there (no cached word has no ids). Valid until the next Insert.
  Span<const int32_t> Find(const WordKey& key, uint64_t hash) const {
    const Entry& entry = entries_[hash % kSlots];
    const bool same = entry.a == key.a && entry.b == key.b && entry.c == key.c && entry.size == key.size;
    return same ? Span<const int32_t>(entry.ids, entry.count) : Span<const int32_t>();
  }

  // Fetches what Find looks at.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&entries_[hash % kSlots]); }

  void Insert(const WordKey& key, uint64_t hash, Span<const int32_t> ids) {
    if (ids.empty() || ids.size() > kMaxIds) return;
    Entry& entry = entries_[hash % kSlots];
    entry.a = key.a;
    entry.b = key.b;
    entry.c = key.c;
    entry.size = static_cast<uint16_t>(key.size);
    entry.count = static_cast<uint16_t>(ids.size());
    std::copy(ids.begin(), ids.end(), entry.ids);
  }

 private:
  static constexpr size_t kSlots = 32768;  // 2 MB: the second-level cache of one core; twice as many won nothing.

  struct alignas(64) Entry {
    uint64_t a, b, c;
    int32_t ids[kMaxIds];
    uint16_t size, count;
  };
  static_assert(sizeof(Entry) == 64, "one cache line each");

  Buffer<Entry> entries_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORD_CACHE_H_
