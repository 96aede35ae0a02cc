// What forward and backward share: the scores of some rows of one head against some keys, with all that hides keys.
#ifndef MMCORE_CORE_ATTENTION_SCORES_H_
#define MMCORE_CORE_ATTENTION_SCORES_H_

#include <cstddef>
#include <cstdint>

#include "core/attention/attention.h"
#include "core/attention/kernels.h"
#include "core/base/buffer.h"

namespace mmcore::attention {

struct Range {
  size_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
  size_t size() const { return empty() ? 0 : end - begin; }
};

inline size_t RoundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// How many of `total` to take at once so that all parts are about as large: at most `most`, a multiple of `multiple`.
// (197 rows in parts of 96 would leave 5, which cost as much memory traffic as 96.)
inline size_t EvenPart(size_t total, size_t most, size_t multiple) {
  const size_t parts = (total + most - 1) / most;
  return parts == 0 ? multiple : RoundUp((total + parts - 1) / parts, multiple);
}

// Where a head's part of [batch, rows, heads, head_dim] begins, as a copy of `rows` of them from row `first`.
RowCopy RowsOf(const Problem& problem, const Input& tensor, size_t b, size_t head, Range rows, size_t width);

// Where the first of these rows of a head is to be written.
void* OutputRows(const Problem& problem, const Output& to, size_t b, size_t head, Range rows);

// Writes rows of [.., RoundUp(head_dim, lanes)], each times its factor, to a head's part of `to`.
void StoreRows(const Problem& problem, const Kernels& kernels, const float* from, const float* factors,
               const Output& to, size_t b, size_t head, Range rows);

// The keys that query t may see by causal and window alone.
Range VisibleKeys(const Problem& problem, size_t t);
// All that any of these queries may see, by causal, window and, where they are sorted, segments.
Range VisibleKeys(const Problem& problem, size_t b, Range queries);

// One head's queries against a block of keys.
struct Block {
  size_t b = 0, head = 0;
  Range queries, keys;
};

// scores[i * stride + j] for query queries.begin + i and key keys.begin + j: capped, biased, and -infinity where the
// key is not seen, as are the columns from the last key to `stride`, a multiple of lanes. Scores come in as products.
// Where `capped` is not null it gets what capping gave.
void FinishScores(const Problem& problem, const Kernels& kernels, const Block& block, size_t stride, float* scores,
                  float* capped);

// Multiplies a row of probabilities by 0 or 1 / (1 - rate), as Problem says.
void DropRow(const Problem& problem, const Kernels& kernels, const Block& block, size_t row, size_t stride, float* p);

// Forward with these kernels.
MMCORE_API void RunForward(const Problem& problem, const Output& out, float* lse, Executor& executor,
                           const Kernels& kernels);

}  // namespace mmcore::attention

#endif  // MMCORE_CORE_ATTENTION_SCORES_H_
