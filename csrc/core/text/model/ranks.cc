#include "core/text/model/ranks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "core/base/errors.h"
#include "core/text/model/merger.h"

namespace mmcore {
namespace text {
namespace {

std::array<int32_t, 256> FindBytes(Span<const std::string_view> tokens) {
  std::array<int32_t, 256> ids;
  ids.fill(-1);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].size() == 1) ids[static_cast<unsigned char>(tokens[i][0])] = static_cast<int32_t>(i);
  }
  const auto missing = std::count(ids.begin(), ids.end(), -1);
  if (missing != 0) {
    const auto first = std::find(ids.begin(), ids.end(), -1) - ids.begin();
    throw InvalidArgument("ranks need a token for each of the 256 bytes, " + std::to_string(missing) +
                          " are missing, the first one is " + std::to_string(first));
  }
  return ids;
}

// Tokens by their bytes, found at all prefixes or at all suffixes of a text in one walk.
class Tokens {
 public:
  void Insert(std::string_view token, uint32_t id) {
    uint32_t node = 0;
    for (const char byte : token) node = Child(node, byte);
    ids_[node] = static_cast<int32_t>(id);
  }

  // ids[i]: the token that the first i + 1 bytes are, -1 for none.
  void FindPrefixes(std::string_view text, std::vector<int32_t>& ids) const {
    ids.assign(text.size(), -1);
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto edge = edges_.find(Key(node, text[i]));
      if (edge == edges_.end()) return;
      node = edge->second;
      ids[i] = ids_[node];
    }
  }

 private:
  static uint64_t Key(uint32_t node, char byte) {
    return static_cast<uint64_t>(node) << 8 | static_cast<unsigned char>(byte);
  }

  uint32_t Child(uint32_t node, char byte) {
    const auto [edge, is_new] = edges_.emplace(Key(node, byte), static_cast<uint32_t>(ids_.size()));
    if (is_new) ids_.push_back(-1);
    return edge->second;
  }

  std::unordered_map<uint64_t, uint32_t> edges_;
  std::vector<int32_t> ids_ = {-1};  // By node.
};

// Every way to put a token together from two others.
std::vector<Merge> FindSplits(Span<const std::string_view> tokens) {
  Tokens forwards, backwards;
  const auto reversed = [](std::string_view token) { return std::string(token.rbegin(), token.rend()); };
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    forwards.Insert(tokens[id], id);
    backwards.Insert(reversed(tokens[id]), id);
  }
  std::vector<Merge> splits;
  std::vector<int32_t> prefixes, suffixes;
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    const size_t size = tokens[id].size();
    forwards.FindPrefixes(tokens[id], prefixes);
    backwards.FindPrefixes(reversed(tokens[id]), suffixes);
    for (size_t cut = 1; cut < size; ++cut) {
      const int32_t left = prefixes[cut - 1], right = suffixes[size - cut - 1];
      if (left < 0 || right < 0) continue;
      if (splits.size() == kMaxMerges) throw LimitError("ranks allow more than 4,000,000 merges");
      splits.push_back({static_cast<uint32_t>(left), static_cast<uint32_t>(right), id});
    }
  }
  return splits;
}

}  // namespace

std::vector<Merge> MergesOfRanks(Span<const std::string_view> tokens) {
  const std::array<int32_t, 256> byte_ids = FindBytes(tokens);
  const std::vector<Merge> splits = FindSplits(tokens);
  Merger merger(splits.size());
  for (const Merge& split : splits) merger.Add(split, split.result);
  std::vector<Merge> merges;
  std::vector<int32_t> ids;
  for (uint32_t rank = 0; rank < tokens.size(); ++rank) {
    if (tokens[rank].size() < 2) continue;
    ids.clear();
    for (const char byte : tokens[rank]) ids.push_back(byte_ids[static_cast<unsigned char>(byte)]);
    // Two parts are left of a token that is reached, since only those two together are the whole of it.
    if (merger.MergeDownTo(2, ids.data(), ids.size()) != 2) continue;
    merges.push_back({static_cast<uint32_t>(ids[0]), static_cast<uint32_t>(ids[1]), rank});
  }
  return merges;
}

}  // namespace text
}  // namespace mmcore
