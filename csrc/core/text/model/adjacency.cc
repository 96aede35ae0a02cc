#include "core/text/model/adjacency.h"

namespace mmcore {
namespace text {
namespace {

constexpr int32_t kUnreached = -1;
constexpr size_t kBits = size_t{1} << 17;  // 16 kB: half of a first-level cache holds it beside the ranks.
static_assert(kBits <= size_t{1} << 24, "the hash has that many good bits");

// The first and the last symbol of what a token is merged from.
struct Ends {
  int32_t first = kUnreached, last = kUnreached;
};

// False where the token is known to begin or end otherwise.
bool Agree(int32_t& known, int32_t found, bool& changed) {
  if (known == found) return true;
  if (known != kUnreached) return false;
  known = found;
  changed = true;
  return true;
}

// Ends of all tokens. False where a token can be merged from different symbols (one named like the unknown
// token, say), or the merges are in a strange order: no real vocabulary is like that.
bool FindEnds(Span<const Merge> merges, std::vector<Ends>& ends) {
  constexpr int kMaxPasses = 8;  // Two where each merge comes after those that make its parts.
  bool changed = true;
  for (int pass = 0; changed; ++pass) {
    if (pass == kMaxPasses) return false;
    changed = false;
    for (const Merge& merge : merges) {
      const Ends left = ends[merge.left], right = ends[merge.right];
      if (left.first == kUnreached || right.last == kUnreached) continue;
      Ends& result = ends[merge.result];
      if (!Agree(result.first, left.first, changed) || !Agree(result.last, right.last, changed)) return false;
    }
  }
  return true;
}

}  // namespace

Adjacency::Adjacency(Span<const Merge> merges, Span<const int32_t> initial, size_t vocab_size)
    : Adjacency() {
  std::vector<Ends> ends(vocab_size);
  for (const int32_t id : initial) ends[static_cast<size_t>(id)] = {id, id};
  if (!FindEnds(merges, ends)) return;
  bits_.assign(kBits / 64, 0);
  follows_another_.assign(vocab_size, false);
  for (const Merge& merge : merges) {
    const int32_t left = ends[merge.left].last, right = ends[merge.right].first;
    if (left != kUnreached && right != kUnreached) Add(left, right);
  }
}

void Adjacency::Add(int32_t left, int32_t right) {
  const uint64_t bit = Bit(left, right);
  bits_[bit / 64] |= uint64_t{1} << bit % 64;
  if (left != right) follows_another_[static_cast<size_t>(right)] = true;
}

}  // namespace text
}  // namespace mmcore
