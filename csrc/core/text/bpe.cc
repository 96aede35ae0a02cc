#include "core/text/bpe.h"

#include <algorithm>
#include <functional>

#include "core/text/gpt2_pattern.h"

namespace mmcore {
namespace text {
namespace {

constexpr size_t kKeptBytes = 1 << 20;  // Of longer words the memory is given back.

}  // namespace

BpeMerger::BpeMerger(const BpeSpec& spec) : ranks_(spec.merges.size()) {
  std::copy(std::begin(spec.byte_ids), std::end(spec.byte_ids), std::begin(byte_ids_));
  results_.reserve(spec.merges.size());
  for (const text::Merge& merge : spec.merges) {
    ranks_.Insert(merge.left, merge.right, static_cast<uint32_t>(results_.size()));
    results_.push_back(static_cast<int32_t>(merge.result));
  }
}

size_t BpeMerger::Merge(std::string_view word, int32_t* ids) const {
  for (size_t i = 0; i < word.size(); ++i) ids[i] = byte_ids_[static_cast<unsigned char>(word[i])];
  if (word.size() < 2) return word.size();
  return word.size() <= kShort ? MergeShort(ids, word.size()) : MergeLong(ids, word.size());
}

size_t BpeMerger::MergeShort(int32_t* ids, size_t count) const {
  // ranks[i]: of the pair (ids[i], ids[i + 1]).
  uint32_t ranks[kShort];
  const auto rank_at = [&](size_t i) {
    return ranks_.Rank(static_cast<uint32_t>(ids[i]), static_cast<uint32_t>(ids[i + 1]));
  };
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = rank_at(i);
  while (count > 1) {
    const size_t at = static_cast<size_t>(std::min_element(ranks, ranks + count - 1) - ranks);
    if (ranks[at] == PairTable::kNone) break;
    ids[at] = results_[ranks[at]];
    --count;
    std::copy(ids + at + 2, ids + count + 1, ids + at + 1);
    if (at + 1 < count) std::copy(ranks + at + 2, ranks + count, ranks + at + 1);
    if (at + 1 < count) ranks[at] = rank_at(at);
    if (at > 0) ranks[at - 1] = rank_at(at - 1);
  }
  return count;
}

size_t BpeMerger::MergeLong(int32_t* ids, size_t count) const {
  // A list of symbols through next and previous, and a heap of (rank, position): n log n. An entry of the
  // heap is stale when its position was merged away or has a pair of another rank by now.
  struct Symbol {
    uint32_t previous, next, rank;
  };
  constexpr uint32_t kEnd = 0xFFFFFFFF;
  std::vector<Symbol> symbols(count);
  std::vector<uint64_t> heap;
  heap.reserve(count);
  const auto set_rank = [&](uint32_t i) {
    const uint32_t next = symbols[i].next;
    symbols[i].rank = next == kEnd
                          ? PairTable::kNone
                          : ranks_.Rank(static_cast<uint32_t>(ids[i]), static_cast<uint32_t>(ids[next]));
    return symbols[i].rank != PairTable::kNone;
  };
  const auto entry = [&](uint32_t i) { return static_cast<uint64_t>(symbols[i].rank) << 32 | i; };
  for (uint32_t i = 0; i < count; ++i) symbols[i] = {i - 1, i + 1 < count ? i + 1 : kEnd, PairTable::kNone};
  for (uint32_t i = 0; i < count; ++i) {
    if (set_rank(i)) heap.push_back(entry(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto push = [&](uint32_t i) {
    if (!set_rank(i)) return;
    heap.push_back(entry(i));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(heap.back());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    if (symbols[i].rank != rank) continue;
    const uint32_t gone = symbols[i].next;
    ids[i] = results_[rank];
    symbols[gone].rank = PairTable::kNone;
    symbols[i].next = symbols[gone].next;
    if (symbols[i].next != kEnd) symbols[symbols[i].next].previous = i;
    push(i);
    if (symbols[i].previous != kEnd) push(symbols[i].previous);
  }
  size_t kept = 0;
  for (uint32_t i = 0; i != kEnd; i = symbols[i].next) ids[kept++] = ids[i];
  return kept;
}

ByteLevelBpe::ByteLevelBpe(const Spec& spec)
    : tokens_(spec.tokens),
      add_prefix_space_(spec.bpe.add_prefix_space),
      merger_(spec.bpe),
      whole_words_(spec.tokens.size()) {
  // Whether a token encodes as itself is tried, not assumed: nothing forbids a vocabulary whose merges never
  // reach some token.
  int32_t ids[WordTable::kMaxBytes];
  for (size_t id = 0; id < tokens_.size(); ++id) {
    const std::string_view token = tokens_[id];
    if (token.empty() || token.size() > WordTable::kMaxBytes) continue;
    if (merger_.Merge(token, ids) != 1 || ids[0] != static_cast<int32_t>(id)) continue;
    whole_words_.Insert(LoadKey(token.data(), token.size(), token.data() + token.size()), ids[0]);
  }
}

bool ByteLevelBpe::EncodeWord(std::string_view word, const char* readable_end, Workspace& workspace,
                              TokenSink& sink) const {
  if (word.size() > WordKey::kMaxBytes) {
    workspace.word_ids.resize(word.size());
    const size_t count = merger_.Merge(word, workspace.word_ids.data());
    const bool going = sink.Append({workspace.word_ids.data(), count});
    if (word.size() > kKeptBytes) std::vector<int32_t>().swap(workspace.word_ids);
    return going;
  }
  const WordKey key = LoadKey(word.data(), word.size(), readable_end);
  if (word.size() <= WordTable::kMaxBytes) {
    const int32_t id = whole_words_.Find(key);
    if (id >= 0) return sink.Push(id);
  }
  const uint64_t hash = Hash(key);
  const Span<const int32_t> known = workspace.cache.Find(key, hash);
  if (!known.empty()) return sink.Append(known);
  int32_t ids[WordKey::kMaxBytes];
  const Span<const int32_t> fresh(ids, merger_.Merge(word, ids));
  workspace.cache.Insert(key, hash, fresh);
  return sink.Append(fresh);
}

void ByteLevelBpe::Encode(std::string_view text, const char* readable_end, Workspace& workspace,
                          TokenSink& sink) const {
  if (add_prefix_space_ && text[0] != ' ') {
    workspace.text.assign(1, ' ').append(text);
    text = workspace.text;
    readable_end = text.data() + text.size();
  }
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    const char* next = gpt2::Next(p, end);
    if (!EncodeWord({p, static_cast<size_t>(next - p)}, readable_end, workspace, sink)) return;
    p = next;
  }
}

void ByteLevelBpe::EncodeWithOffsets(std::string_view text, int64_t base, Workspace& workspace,
                                     TokenSink& sink, std::vector<Offset>& offsets) const {
  const size_t first = sink.size();
  const auto size = static_cast<int64_t>(text.size());
  int64_t at = add_prefix_space_ && text[0] != ' ' ? -1 : 0;  // The space put in front stands for no byte.
  Encode(text, text.data() + text.size(), workspace, sink);
  // The tokens of a text are its bytes, cut.
  for (size_t i = first; i < sink.size(); ++i) {
    const int64_t next = at + static_cast<int64_t>(tokens_[static_cast<size_t>(sink.ids()[i])].size());
    offsets.push_back({base + std::max<int64_t>(at, 0), base + std::min(next, size)});
    at = next;
  }
}

std::string ByteLevelBpe::Decode(Span<const std::string_view> tokens) const {
  std::string out;
  for (const std::string_view token : tokens) out += token;
  return out;
}

}  // namespace text
}  // namespace mmcore
