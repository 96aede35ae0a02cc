// MergesOfRanks: the merges behind a list of ranks, which is all that a .tiktoken file has.
#ifndef MMCORE_CORE_TEXT_MODEL_RANKS_H_
#define MMCORE_CORE_TEXT_MODEL_RANKS_H_

#include <string_view>
#include <vector>

#include "core/base/api.h"
#include "core/base/span.h"
#include "core/text/model/adjacency.h"

namespace mmcore {
namespace text {

// tiktoken merges two neighbours if and only if their bytes together are a token, the token of lowest rank
// first. Until a token is made, its bytes are merged as if nothing stood around them, always in the same way,
// to the same two parts: so each token has at most one merge. A token that its bytes alone are never merged
// to has none; it is found as a whole word only.
//
// `tokens` by rank, distinct; ids of the merges are positions in it. Throws InvalidArgument where one of the
// 256 bytes is no token, LimitError where there are too many ways to make tokens of two others.
MMCORE_API std::vector<Merge> MergesOfRanks(Span<const std::string_view> tokens);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_RANKS_H_
