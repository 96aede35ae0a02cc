#include "core/text/train/pair_merger.h"

#include <algorithm>

namespace mmcore {
namespace text {
namespace {

// Merges in fewer words are done by the calling thread: waking another one costs some 50 us.
constexpr size_t kWordsPerShare = 8192;

// Half of what a tokenizer.json may hold: there a byte of a token may be spelled with two. Only texts with words of
// this length come near it.
constexpr size_t kMaxTokenBytes = 32 * 1024;

void Prefetch(const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address, 1);
#else
  static_cast<void>(address);
#endif
}

// Moves `more` to the end of `all`, each word once.
void Append(std::vector<uint32_t>& all, std::vector<uint32_t>& more) {
  if (all.empty()) {
    all.swap(more);
    return;
  }
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  more.clear();
}

}  // namespace

uint32_t PairMerger::AddToken(const std::string& token, bool findable) {
  const auto id = static_cast<uint32_t>(tokens_.size());
  tokens_.push_back(token);
  if (findable) ids_.emplace(token, id);
  return id;
}

uint32_t PairMerger::IdOf(const std::string& token) {
  const auto found = ids_.find(token);
  return found != ids_.end() ? found->second : AddToken(token, true);
}

void PairMerger::AddWord(Span<const uint32_t> symbols, uint64_t count) {
  words_.push_back({symbols_.size(), static_cast<int64_t>(count), static_cast<uint32_t>(symbols.size())});
  symbols_.insert(symbols_.end(), symbols.begin(), symbols.end());
}

void PairMerger::Run(size_t vocab_size, uint64_t min_frequency, Executor& executor) {
  changes_.resize(executor.concurrency());
  QueueAllPairs();
  while (tokens_.size() < vocab_size && !queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end());
    Candidate top = queue_.back();
    queue_.pop_back();
    const int64_t now = pair_counts_[top.pair];
    if (top.count != now) {
      top.count = now;
      queue_.push_back(top);
      std::push_heap(queue_.begin(), queue_.end());
      continue;
    }
    if (top.count < 1 || static_cast<uint64_t>(top.count) < min_frequency) break;
    if (tokens_[Left(top.pair)].size() + tokens_[Right(top.pair)].size() > kMaxTokenBytes) continue;
    MergePair(top, executor);
  }
}

void PairMerger::QueueAllPairs() {
  std::unordered_map<Pair, std::vector<uint32_t>> found;
  for (uint32_t w = 0; w < words_.size(); ++w) {
    const uint32_t* s = symbols_.data() + words_[w].begin;
    for (uint32_t i = 0; i + 1 < words_[w].length; ++i) {
      const Pair pair = MakePair(s[i], s[i + 1]);
      pair_counts_[pair] += words_[w].count;
      std::vector<uint32_t>& where = found[pair];
      if (where.empty() || where.back() != w) where.push_back(w);
    }
  }
  for (auto& [pair, where] : found) Push(pair, std::move(where));
}

void PairMerger::Push(Pair pair, std::vector<uint32_t> words) {
  const int64_t count = pair_counts_[pair];
  if (count <= 0) return;
  queue_.push_back({count, pair, static_cast<uint32_t>(lists_.size())});
  std::push_heap(queue_.begin(), queue_.end());
  lists_.push_back(std::move(words));
}

void PairMerger::MergePair(const Candidate& top, Executor& executor) {
  std::string_view continued = tokens_[Right(top.pair)];
  if (continued.substr(0, prefix_.size()) == prefix_) continued.remove_prefix(prefix_.size());
  const uint32_t made = IdOf(tokens_[Left(top.pair)] + std::string(continued));
  merges_.push_back({Left(top.pair), Right(top.pair)});
  const std::vector<uint32_t> words = std::move(lists_[top.list]);
  const size_t shares = std::clamp<size_t>(words.size() / kWordsPerShare, 1, changes_.size());
  for (size_t s = 0; s < shares; ++s) {
    changes_[s].left.Resize(tokens_.size());
    changes_[s].right.Resize(tokens_.size());
  }
  const auto merge = [&](size_t s) {
    const size_t begin = words.size() * s / shares, end = words.size() * (s + 1) / shares;
    MergeInWords({words.data() + begin, end - begin}, top.pair, made, changes_[s]);
  };
  if (shares == 1) {
    merge(0);
  } else {
    executor.ParallelFor(shares, merge);
  }
  Apply(top.pair, made);
}

// The words of a pair lie anywhere in memory: each is asked for some words before it is needed.
void PairMerger::MergeInWords(Span<const uint32_t> words, Pair pair, uint32_t made, Changes& changes) {
  constexpr size_t kFar = 16, kNear = 8;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i + kFar < words.size()) Prefetch(&words_[words[i + kFar]]);
    if (i + kNear < words.size()) Prefetch(symbols_.data() + words_[words[i + kNear]].begin);
    MergeInWord(words[i], pair, made, changes);
  }
}

// Replaces the pair by `made` from the left on; the word shrinks in place. The count of the merged pair itself
// stays, as in Hugging Face's trainer: its candidate is gone.
void PairMerger::MergeInWord(uint32_t w, Pair pair, uint32_t made, Changes& changes) {
  const uint32_t left = Left(pair), right = Right(pair), length = words_[w].length;
  const int64_t count = words_[w].count;
  uint32_t* s = symbols_.data() + words_[w].begin;
  uint32_t to = 0;
  for (uint32_t from = 0; from < length;) {
    if (s[from] != left || from + 1 == length || s[from + 1] != right) {
      s[to++] = s[from++];
      continue;
    }
    if (to > 0) changes.left.Change(s[to - 1], count, w);
    if (from + 2 < length) changes.right.Change(s[from + 2], count, w);
    s[to++] = made;
    from += 2;
  }
  words_[w].length = to;
}

void PairMerger::Side::Resize(size_t vocab_size) {
  if (counts.size() >= vocab_size) return;
  counts.resize(std::max(vocab_size, 2 * counts.size()));
  words.resize(counts.size());
}

void PairMerger::Side::Change(uint32_t neighbour, int64_t count, uint32_t word) {
  std::vector<uint32_t>& where = words[neighbour];
  if (where.empty()) neighbours.push_back(neighbour);
  if (where.empty() || where.back() != word) where.push_back(word);
  counts[neighbour] += count;
}

// Brings the changes of all threads into the counts, then queues the pairs that were gained.
void PairMerger::Apply(Pair pair, uint32_t made) {
  std::vector<std::pair<Pair, std::vector<uint32_t>>> gained;
  std::unordered_map<Pair, size_t> place;  // In `gained`: several threads, or both sides, may gain a pair.
  for (Changes& part : changes_) {
    for (const bool is_left : {true, false}) {
      Side& side = is_left ? part.left : part.right;
      for (const uint32_t n : side.neighbours) {
        const Pair made_pair = is_left ? MakePair(n, made) : MakePair(made, n);
        pair_counts_[is_left ? MakePair(n, Left(pair)) : MakePair(Right(pair), n)] -= side.counts[n];
        pair_counts_[made_pair] += side.counts[n];
        side.counts[n] = 0;
        const auto [at, is_new] = place.emplace(made_pair, gained.size());
        if (is_new) gained.emplace_back(made_pair, std::vector<uint32_t>());
        Append(gained[at->second].second, side.words[n]);
      }
      side.neighbours.clear();
    }
  }
  for (auto& [made_pair, words] : gained) Push(made_pair, std::move(words));
}

std::vector<std::pair<uint32_t, uint32_t>> PairMerger::MergesWithoutRepetition() const {
  std::unordered_map<Pair, size_t> last;
  for (size_t i = 0; i < merges_.size(); ++i) last[MakePair(merges_[i].first, merges_[i].second)] = i;
  std::vector<std::pair<uint32_t, uint32_t>> kept;
  for (size_t i = 0; i < merges_.size(); ++i) {
    if (last[MakePair(merges_[i].first, merges_[i].second)] == i) kept.push_back(merges_[i]);
  }
  return kept;
}

}  // namespace text
}  // namespace mmcore
