// PairMerger: learns a vocabulary by merging the most frequent pair of symbols in weighted words, again and
// again. (Sennrich et al., Neural Machine Translation of Rare Words with Subword Units, 2016, arXiv:1508.07909,
// algorithm 1.) Ties go to the pair of lowest ids; two pairs that make the same token share it: both as Hugging
// Face's BpeTrainer.
#ifndef MMCORE_CORE_TEXT_TRAIN_PAIR_MERGER_H_
#define MMCORE_CORE_TEXT_TRAIN_PAIR_MERGER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/text/train/pair_counts.h"

namespace mmcore {
namespace text {

class PairMerger {
 public:
  // Tokens that continue a word begin with `prefix` (empty: none do); it is dropped where they are merged.
  explicit PairMerger(std::string prefix) : prefix_(std::move(prefix)) {}

  // A token of its own, even where one of equal spelling exists; `findable` by IdOf if it is the first.
  uint32_t AddToken(const std::string& token, bool findable);
  // The id of a token, which is made where there is none.
  uint32_t IdOf(const std::string& token);
  bool Has(const std::string& token) const { return ids_.count(token) != 0; }
  size_t num_tokens() const { return tokens_.size(); }

  void AddWord(Span<const uint32_t> symbols, uint64_t count);

  // Merges until there are `vocab_size` tokens or no pair is left that was seen `min_frequency` times. Pairs that
  // make more than 32 kB are left out.
  void Run(size_t vocab_size, uint64_t min_frequency, Executor& executor);

  std::vector<std::string>& tokens() { return tokens_; }  // By id.
  // Pairs of ids by rank. One that was merged twice (its token was made by another pair too) has its last rank.
  std::vector<std::pair<uint32_t, uint32_t>> MergesWithoutRepetition() const;

 private:
  struct Word {
    uint64_t begin;  // In symbols_.
    int64_t count;
    uint32_t length;
  };

  // A pair, how often it was when it was queued, and the list of words where it then was (new).
  struct Candidate {
    int64_t count;
    Pair pair;
    uint32_t list;

    // Top of the heap: the highest count, of equals the lowest pair.
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  // What merging a pair (l, r) into m changed in some words. Beside each l, r there was a neighbour: the pair
  // (n, l) became (n, m) on the left, (r, n) became (m, n) on the right. Counted by neighbour, so that no pair
  // is hashed more than once a merge.
  struct Side {
    std::vector<int64_t> counts;               // By neighbour.
    std::vector<std::vector<uint32_t>> words;  // By neighbour: where.
    std::vector<uint32_t> neighbours;          // Those that have an entry.

    void Resize(size_t vocab_size);
    void Change(uint32_t neighbour, int64_t count, uint32_t word);
  };
  struct Changes {
    Side left, right;
  };

  void QueueAllPairs();
  void MergePair(const Candidate& top, Executor& executor);
  void MergeInWords(Span<const uint32_t> words, Pair pair, uint32_t made, Changes& changes);
  void MergeInWord(uint32_t w, Pair pair, uint32_t made, Changes& changes);
  void Apply(Pair pair, uint32_t made);
  void Push(Pair pair, std::vector<uint32_t> words);

  const std::string prefix_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<uint32_t> symbols_;  // Of all words.
  std::vector<Word> words_;
  PairCounts pair_counts_;
  std::vector<std::vector<uint32_t>> lists_;  // Of candidates.
  std::vector<Candidate> queue_;
  std::vector<Changes> changes_;  // One a thread.
  std::vector<std::pair<uint32_t, uint32_t>> merges_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TRAIN_PAIR_MERGER_H_
