// WordBatch: a few words that are looked up together: while the first ones are, the places in memory of the others
// come nearer. Random code points take 20 ns a byte so instead of 28 (GPT-2), English no more than before.
#ifndef MMCORE_CORE_TEXT_MODEL_WORD_BATCH_H_
#define MMCORE_CORE_TEXT_MODEL_WORD_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/text/token_sink.h"
#include "core/text/word_cache.h"
#include "core/text/word_key.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

class WordBatch {
 public:
  static constexpr size_t kWords = 16;

  // `whole_words`: words that are one id. Memory may be read up to `readable_end`.
  WordBatch(const WordTable& whole_words, const char* readable_end, WordCache& cache, TokenSink& sink)
      : whole_words_(whole_words), readable_end_(readable_end), cache_(cache), sink_(sink) {}

  // Takes one more word, not empty, which stays where it is until it is encoded. True: the batch is full.
  bool Add(std::string_view word) {
    Entry& entry = entries_[count_++];
    entry.word = word;
    if (word.size() <= WordKey::kMaxBytes) {
      entry.key = LoadKey(word.data(), word.size(), readable_end_);
      entry.hash = Hash(entry.key);
      if (word.size() <= WordTable::kMaxBytes) whole_words_.Prefetch(entry.hash);
    }
    return count_ == kWords;
  }

  // Appends the ids of all words and forgets them. `missed(word, key, hash)` does so for a word that is in neither
  // table, `is_long(word)` for one that has no key; both say false where no more ids are wanted, as this does.
  template <typename Missed, typename IsLong>
  bool Encode(const Missed& missed, const IsLong& is_long) {
    for (size_t i = 0; i < count_; ++i) {
      Entry& entry = entries_[i];
      entry.id = entry.word.size() <= WordTable::kMaxBytes ? whole_words_.Find(entry.key, entry.hash) : -1;
      if (entry.id < 0 && entry.word.size() <= WordKey::kMaxBytes) cache_.Prefetch(entry.hash);
    }
    const size_t count = count_;
    count_ = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!EncodeOne(entries_[i], missed, is_long)) return false;
    }
    return true;
  }

 private:
  struct Entry {
    std::string_view word;
    WordKey key;
    uint64_t hash;
    int32_t id;
  };

  template <typename Missed, typename IsLong>
  bool EncodeOne(const Entry& entry, const Missed& missed, const IsLong& is_long) {
    if (entry.id >= 0) return sink_.Push(entry.id);
    if (entry.word.size() > WordKey::kMaxBytes) return is_long(entry.word);
    const Span<const int32_t> known = cache_.Find(entry.key, entry.hash);
    return known.empty() ? missed(entry.word, entry.key, entry.hash) : sink_.Append(known);
  }

  const WordTable& whole_words_;
  const char* const readable_end_;
  WordCache& cache_;
  TokenSink& sink_;
  size_t count_ = 0;
  Entry entries_[kWords];
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_WORD_BATCH_H_
