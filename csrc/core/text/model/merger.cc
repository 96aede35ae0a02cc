#include "core/text/model/merger.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace mmcore {
namespace text {

// Merges by a list of symbols through next and previous, and a heap of (rank, position): n log n. An entry of
// the heap is stale when its position was merged away or has a pair of another rank by now.
class Merger::Heap {
 public:
  explicit Heap(const Merger& merger) : merger_(merger) {}

  // Calls keep(id, symbols merged to it) for each id that is left, in order; `least` of them are always left.
  // `ids` is used up.
  template <typename Keep>
  void Merge(int32_t* ids, size_t count, const Keep& keep, size_t least = 1) {
    ids_ = ids;
    left_ = count;
    symbols_.resize(count);
    entries_.clear();
    for (uint32_t i = 0; i < count; ++i) symbols_[i] = {i - 1, i + 1 < count ? i + 1 : kEnd, PairTable::kNone};
    for (uint32_t i = 0; i < count; ++i) {
      if (SetRank(i)) entries_.push_back(Entry(i));
    }
    std::make_heap(entries_.begin(), entries_.end(), std::greater<>());
    while (left_ > least && !entries_.empty()) MergeLowest();
    for (uint32_t i = count == 0 ? kEnd : 0; i != kEnd; i = symbols_[i].next) {
      keep(ids[i], std::min<uint32_t>(symbols_[i].next, static_cast<uint32_t>(count)) - i);
    }
  }

 private:
  static constexpr uint32_t kEnd = 0xFFFFFFFF;

  struct Symbol {
    uint32_t previous, next, rank;
  };

  uint64_t Entry(uint32_t i) const { return static_cast<uint64_t>(symbols_[i].rank) << 32 | i; }

  bool SetRank(uint32_t i) {
    const uint32_t next = symbols_[i].next;
    symbols_[i].rank = next == kEnd ? PairTable::kNone : merger_.RankOf(ids_[i], ids_[next]);
    return symbols_[i].rank != PairTable::kNone;
  }

  void Push(uint32_t i) {
    if (!SetRank(i)) return;
    entries_.push_back(Entry(i));
    std::push_heap(entries_.begin(), entries_.end(), std::greater<>());
  }

  void MergeLowest() {
    std::pop_heap(entries_.begin(), entries_.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(entries_.back());
    const auto rank = static_cast<uint32_t>(entries_.back() >> 32);
    entries_.pop_back();
    if (symbols_[i].rank != rank) return;
    const uint32_t gone = symbols_[i].next;
    --left_;
    ids_[i] = merger_.Result(rank, ids_[i], ids_[gone]);
    symbols_[gone].rank = PairTable::kNone;
    symbols_[i].next = symbols_[gone].next;
    if (symbols_[i].next != kEnd) symbols_[symbols_[i].next].previous = i;
    Push(i);
    if (symbols_[i].previous != kEnd) Push(symbols_[i].previous);
  }

  const Merger& merger_;
  int32_t* ids_ = nullptr;
  size_t left_ = 0;
  std::vector<Symbol> symbols_;
  std::vector<uint64_t> entries_;
};

// A stretch of a long run, merged as if nothing stood around it.
struct Merger::Window {
  std::vector<int32_t> ids;
  std::vector<uint32_t> sizes;  // Symbols of each id.
  size_t symbols = 0;           // Sum of the sizes.

  bool Begins(int32_t id, uint32_t size) const { return ids[0] == id && sizes[0] == size; }

  void Fill(const int32_t* from, size_t count, Heap& heap) {
    scratch.assign(from, from + count);
    ids.clear();
    sizes.clear();
    symbols = count;
    heap.Merge(scratch.data(), count, [this](int32_t id, uint32_t size) {
      ids.push_back(id);
      sizes.push_back(size);
    });
  }

  std::vector<int32_t> scratch;
};

Merger::Merger(Span<const text::Merge> merges, Span<const int32_t> initial, size_t vocab_size)
    : Merger(merges.size()) {
  results_.reserve(merges.size());
  for (const text::Merge& merge : merges) Add(merge, static_cast<uint32_t>(results_.size()));
  adjacency_ = Adjacency(merges, initial, vocab_size);
}

Merger::Merger(Span<const text::Merge> merges, Span<const uint32_t> ranks, Span<const int32_t> initial,
               size_t vocab_size)
    : Merger(merges.size()) {
  std::vector<text::Merge> tied;
  for (size_t begin = 0, end; begin < merges.size(); begin = end) {
    bool several = false;
    for (end = begin; end < merges.size() && ranks[end] == ranks[begin]; ++end) {
      several = several || merges[end].result != merges[begin].result;
      Add(merges[end], ranks[end]);
    }
    if (!several) continue;
    results_[ranks[begin]] = kSeveral;
    tied.insert(tied.end(), merges.begin() + begin, merges.begin() + end);
  }
  tied_results_ = PairTable(tied.size());
  for (const text::Merge& merge : tied) tied_results_.Insert(merge.left, merge.right, merge.result);
  adjacency_ = Adjacency(merges, initial, vocab_size);
}

size_t Merger::Merge(int32_t* ids, size_t count) const {
  size_t kept = 0;
  for (size_t begin = 0; begin < count;) {
    size_t end = begin + 1;
    while (end < count && adjacency_.MayMeet(ids[end - 1], ids[end])) ++end;
    const size_t left = MergeRun(ids + begin, end - begin);
    if (kept != begin) std::copy(ids + begin, ids + begin + left, ids + kept);
    kept += left;
    begin = end;
  }
  return kept;
}

size_t Merger::LastCut(const int32_t* ids, size_t count) const {
  if (count == 0) return 0;
  size_t cut = count - 1;
  while (cut > 0 && adjacency_.MayMeet(ids[cut - 1], ids[cut])) --cut;
  return cut;
}

size_t Merger::MergeRun(int32_t* ids, size_t count) const {
  if (count == 1) return 1;
  if (count == 2) {
    const uint32_t rank = RankOf(ids[0], ids[1]);
    if (rank == PairTable::kNone) return 2;
    ids[0] = Result(rank, ids[0], ids[1]);
    return 1;
  }
  return count <= kShort ? MergeShort(ids, count) : MergeWindows(ids, count);
}

size_t Merger::MergeDownTo(size_t least, int32_t* ids, size_t count) const {
  if (count <= kShort) return MergeShort(ids, count, least);
  size_t kept = 0;
  Heap(*this).Merge(ids, count, [&](int32_t id, uint32_t) { ids[kept++] = id; }, least);
  return kept;
}

size_t Merger::MergeShort(int32_t* ids, size_t count, size_t least) const {
  // keys[i]: the rank of the pair that begins at i, and i, so that the least one is the merge to do. Symbols stay
  // where they are; those that are merged away have no key. (Moving the rest up took half of the time.)
  constexpr int32_t kNoKey = INT32_MAX;
  int32_t keys[kShort];
  uint8_t next[kShort], previous[kShort];
  const auto key_at = [&](size_t i) {
    const uint32_t rank = next[i] < count ? RankOf(ids[i], ids[next[i]]) : PairTable::kNone;
    return rank == PairTable::kNone ? kNoKey : static_cast<int32_t>(rank * kShort + i);
  };
  const size_t padded = (count + 7) / 8 * 8;
  for (size_t i = 0; i < padded; ++i) {
    next[i] = static_cast<uint8_t>(i + 1);
    previous[i] = static_cast<uint8_t>(i - 1);
    keys[i] = i + 1 < count ? key_at(i) : kNoKey;
  }
  for (size_t left = count; left > least; --left) {
    int32_t best = kNoKey;
    for (size_t i = 0; i < padded; ++i) best = std::min(best, keys[i]);
    if (best == kNoKey) break;
    const size_t at = static_cast<size_t>(best) % kShort, gone = next[at];
    ids[at] = Result(static_cast<size_t>(best) / kShort, ids[at], ids[gone]);
    keys[gone] = kNoKey;
    next[at] = next[gone];
    if (next[at] < count) previous[next[at]] = static_cast<uint8_t>(at);
    keys[at] = key_at(at);
    if (at > 0) keys[previous[at]] = key_at(previous[at]);
  }
  size_t kept = 0;
  for (size_t i = 0; i < count; i = next[i]) ids[kept++] = ids[i];
  return kept;
}

// A sequence of tokens is what merging a run gives if and only if every two neighbours are what merging their
// symbols alone gives: up to the first merge across a boundary all tokens grow on their own, and whether
// that merge comes depends on the two tokens at the boundary alone. So two windows that overlap and agree on
// one token can be joined there, and a run of any length is merged in time that grows with its length.
size_t Merger::MergeWindows(int32_t* ids, size_t count) const {
  Heap heap(*this);
  Window window, next;
  std::vector<int32_t> merged;
  size_t begin = 0;
  window.Fill(ids, std::min(kWindow, count), heap);
  while (begin + window.symbols < count) {
    size_t token = 0, skipped = 0;  // The token that both should have: at three quarters of the window.
    while (4 * (skipped + window.sizes[token]) < 3 * window.symbols) skipped += window.sizes[token++];
    const size_t width = std::max(kWindow, window.symbols / 2);
    next.Fill(ids + begin + skipped, std::min(width, count - begin - skipped), heap);
    if (token > 0 && next.Begins(window.ids[token], window.sizes[token])) {
      merged.insert(merged.end(), window.ids.data(), window.ids.data() + token);
      begin += skipped;
      std::swap(window, next);
      continue;
    }
    const int32_t first_id = window.ids[0];
    const uint32_t first_size = window.sizes[0];
    window.Fill(ids + begin, std::min(2 * window.symbols, count - begin), heap);
    // The window before agreed to what this one began with. Where that was wrong, nothing but all will do.
    if (begin > 0 && !window.Begins(first_id, first_size)) {
      merged.clear();
      begin = 0;
      window.Fill(ids, count, heap);
    }
  }
  merged.insert(merged.end(), window.ids.begin(), window.ids.end());
  std::copy(merged.begin(), merged.end(), ids);
  return merged.size();
}

size_t Merger::MergeWithSizes(int32_t* ids, uint32_t* sizes, size_t count) const {
  size_t kept = 0, at = 0;
  Heap(*this).Merge(ids, count, [&](int32_t id, uint32_t symbols) {
    uint32_t size = 0;
    for (const size_t end = at + symbols; at < end; ++at) size += sizes[at];
    ids[kept] = id;
    sizes[kept++] = size;
  });
  return kept;
}

}  // namespace text
}  // namespace mmcore
