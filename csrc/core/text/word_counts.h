// WordCounts: how often each word was seen. Open addressing over one arena of bytes: no allocation a word.
#ifndef MMCORE_CORE_TEXT_WORD_COUNTS_H_
#define MMCORE_CORE_TEXT_WORD_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace mmcore {
namespace text {

class WordCounts {
 public:
  WordCounts() : slots_(1024, kEmpty) {}

  size_t size() const { return entries_.size(); }
  std::string_view word(size_t i) const { return {arena_.data() + entries_[i].begin, entries_[i].size}; }
  uint64_t count(size_t i) const { return entries_[i].count; }

  void Add(std::string_view word, uint64_t count) { Add(word, count, HashBytes(word)); }

  void Add(const WordCounts& other) {
    for (const Entry& entry : other.entries_) {
      Add({other.arena_.data() + entry.begin, entry.size}, entry.count, entry.hash);
    }
  }

 private:
  static constexpr uint32_t kEmpty = 0xFFFFFFFF;

  struct Entry {
    uint64_t hash, begin, size, count;
  };

  static uint64_t HashBytes(std::string_view word) {
    uint64_t hash = word.size() * 0x9E3779B97F4A7C15u;
    while (!word.empty()) {
      uint64_t part = 0;
      const size_t take = word.size() < 8 ? word.size() : 8;
      std::memcpy(&part, word.data(), take);
      hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
      hash ^= hash >> 32;
      word.remove_prefix(take);
    }
    return hash;
  }

  void Add(std::string_view word, uint64_t count, uint64_t hash) {
    const size_t slot = Slot(word, hash);
    if (slots_[slot] != kEmpty) {
      entries_[slots_[slot]].count += count;
      return;
    }
    slots_[slot] = static_cast<uint32_t>(entries_.size());
    entries_.push_back({hash, arena_.size(), word.size(), count});
    arena_.insert(arena_.end(), word.begin(), word.end());
    if (2 * entries_.size() > slots_.size()) Grow();
  }

  size_t Slot(std::string_view word, uint64_t hash) const {
    const size_t mask = slots_.size() - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      if (slots_[i] == kEmpty) return i;
      const Entry& entry = entries_[slots_[i]];
      if (entry.hash == hash && word == std::string_view(arena_.data() + entry.begin, entry.size)) return i;
    }
  }

  void Grow() {
    slots_.assign(2 * slots_.size(), kEmpty);
    const size_t mask = slots_.size() - 1;
    for (size_t e = 0; e < entries_.size(); ++e) {
      size_t i = entries_[e].hash & mask;
      while (slots_[i] != kEmpty) i = (i + 1) & mask;
      slots_[i] = static_cast<uint32_t>(e);
    }
  }

  std::vector<uint32_t> slots_;
  std::vector<Entry> entries_;
  std::vector<char> arena_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORD_COUNTS_H_
