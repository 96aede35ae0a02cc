#include "core/text/bpe_trainer.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/gpt2_pattern.h"

namespace mmcore {
namespace text {
namespace {

using Pair = uint64_t;  // left << 32 | right: compares as (left, right).

Pair MakePair(uint32_t left, uint32_t right) { return static_cast<Pair>(left) << 32 | right; }

// Counts of pairs; open addressing, since it is asked some ten times for each merge of each word.
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

// One candidate: a pair, how often it was when it was queued, and the words where it then was (new).
struct Candidate {
  int64_t count;
  Pair pair;
  std::vector<uint32_t> words;

  // Top of the heap: the highest count, of equals the lowest pair.
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Training {
 public:
  Training(const WordCounts& counts, const std::vector<std::string>& reserved,
           Span<const uint8_t> byte_order) {
    for (const std::string& token : reserved) AddToken(token, /*findable=*/!token.empty());
    uint32_t byte_ids[256];
    for (const uint8_t byte : byte_order) byte_ids[byte] = IdOf(std::string(1, static_cast<char>(byte)));
    for (size_t w = 0; w < counts.size(); ++w) {
      begins_.push_back(symbols_.size());
      for (const char c : counts.word(w)) symbols_.push_back(byte_ids[static_cast<unsigned char>(c)]);
      lengths_.push_back(static_cast<uint32_t>(counts.word(w).size()));
      weights_.push_back(static_cast<int64_t>(counts.count(w)));
    }
  }

  size_t vocab_size() const { return tokens_.size(); }

  TrainedBpe Run(size_t vocab_size, uint64_t min_frequency) {
    QueueAllPairs();
    while (tokens_.size() < vocab_size && !queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end());
      Candidate top = std::move(queue_.back());
      queue_.pop_back();
      const int64_t now = pair_counts_[top.pair];
      if (top.count != now) {
        top.count = now;
        Push(std::move(top));
        continue;
      }
      if (top.count < 1 || static_cast<uint64_t>(top.count) < min_frequency) break;
      MergePair(top);
    }
    return {std::move(tokens_), MergesWithoutRepetition()};
  }

 private:
  uint32_t AddToken(const std::string& bytes, bool findable) {
    const auto id = static_cast<uint32_t>(tokens_.size());
    tokens_.push_back(bytes);
    if (findable) ids_.emplace(bytes, id);
    return id;
  }

  uint32_t IdOf(const std::string& bytes) {
    const auto found = ids_.find(bytes);
    return found != ids_.end() ? found->second : AddToken(bytes, true);
  }

  void Push(Candidate candidate) {
    queue_.push_back(std::move(candidate));
    std::push_heap(queue_.begin(), queue_.end());
  }

  // Notes that `pair` is now in word `w`.
  void Found(Pair pair, uint32_t w) {
    std::vector<uint32_t>& words = found_[pair];
    if (words.empty() || words.back() != w) words.push_back(w);
  }

  void QueueFound() {
    for (auto& [pair, words] : found_) {
      const int64_t count = pair_counts_[pair];
      if (count > 0) Push({count, pair, std::move(words)});
    }
    found_.clear();
  }

  void QueueAllPairs() {
    for (uint32_t w = 0; w < lengths_.size(); ++w) {
      const uint32_t* s = symbols_.data() + begins_[w];
      for (uint32_t i = 0; i + 1 < lengths_[w]; ++i) {
        const Pair pair = MakePair(s[i], s[i + 1]);
        pair_counts_[pair] += weights_[w];
        Found(pair, w);
      }
    }
    QueueFound();
  }

  void MergePair(const Candidate& top) {
    const auto left = static_cast<uint32_t>(top.pair >> 32), right = static_cast<uint32_t>(top.pair);
    const uint32_t made = IdOf(tokens_[left] + tokens_[right]);
    merges_.push_back({left, right});
    for (const uint32_t w : top.words) MergeInWord(w, left, right, made);
    QueueFound();
  }

  void Change(Pair pair, int64_t by, uint32_t w) {
    pair_counts_[pair] += by;
    if (by > 0) Found(pair, w);
  }

  // Replaces left, right by `made` from the left on; the word shrinks in place. The count of the merged pair
  // itself stays, as in Hugging Face's trainer: its candidate is gone.
  void MergeInWord(uint32_t w, uint32_t left, uint32_t right, uint32_t made) {
    uint32_t* s = symbols_.data() + begins_[w];
    const uint32_t length = lengths_[w];
    const int64_t weight = weights_[w];
    uint32_t to = 0;
    for (uint32_t from = 0; from < length;) {
      if (s[from] != left || from + 1 == length || s[from + 1] != right) {
        s[to++] = s[from++];
        continue;
      }
      if (to > 0) {
        Change(MakePair(s[to - 1], left), -weight, w);
        Change(MakePair(s[to - 1], made), weight, w);
      }
      if (from + 2 < length) {
        Change(MakePair(right, s[from + 2]), -weight, w);
        Change(MakePair(made, s[from + 2]), weight, w);
      }
      s[to++] = made;
      from += 2;
    }
    lengths_[w] = to;
  }

  // A pair can be merged twice when its token was made by another pair too; its last rank is the one that
  // counts.
  std::vector<std::pair<uint32_t, uint32_t>> MergesWithoutRepetition() const {
    std::unordered_map<Pair, size_t> last;
    for (size_t i = 0; i < merges_.size(); ++i) last[MakePair(merges_[i].first, merges_[i].second)] = i;
    std::vector<std::pair<uint32_t, uint32_t>> kept;
    for (size_t i = 0; i < merges_.size(); ++i) {
      if (last[MakePair(merges_[i].first, merges_[i].second)] == i) kept.push_back(merges_[i]);
    }
    return kept;
  }

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<uint32_t> symbols_;  // Of all words.
  std::vector<size_t> begins_;
  std::vector<uint32_t> lengths_;
  std::vector<int64_t> weights_;
  PairCounts pair_counts_;
  std::unordered_map<Pair, std::vector<uint32_t>> found_;
  std::vector<Candidate> queue_;
  std::vector<std::pair<uint32_t, uint32_t>> merges_;
};

void CountWords(std::string_view text, WordCounts* counts) {
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    const char* next = gpt2::Next(p, end);
    counts->Add({p, static_cast<size_t>(next - p)}, 1);
    p = next;
  }
}

}  // namespace

void BpeTrainer::Feed(Span<const std::string_view> texts, Executor& executor) {
  const size_t shares = std::min(texts.size(), executor.concurrency());
  std::vector<WordCounts> counts(shares);
  executor.ParallelFor(shares, [&](size_t s) {
    for (size_t i = s; i < texts.size(); i += shares) {
      if (utf8::ValidPrefix(texts[i]) == texts[i].size()) {
        CountWords(texts[i], &counts[s]);
      } else {
        CountWords(utf8::Repair(texts[i]), &counts[s]);
      }
    }
  });
  for (const WordCounts& part : counts) words_.Add(part);
}

TrainedBpe BpeTrainer::Train(size_t vocab_size, uint64_t min_frequency,
                             const std::vector<std::string>& reserved, Span<const uint8_t> byte_order) const {
  if (byte_order.size() != 256) throw InvalidArgument("byte_order must list 256 bytes");
  Training training(words_, reserved, byte_order);
  if (vocab_size < training.vocab_size()) {
    throw InvalidArgument("vocab_size must be at least " + std::to_string(training.vocab_size()) +
                          " (the 256 bytes and the special tokens), got " + std::to_string(vocab_size));
  }
  return training.Run(vocab_size, min_frequency);
}

}  // namespace text
}  // namespace mmcore
