// DecodeRows: many rows of ids to texts, on all cores.
#ifndef MMCORE_CORE_TEXT_DECODE_ROWS_H_
#define MMCORE_CORE_TEXT_DECODE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/text/tokenizer.h"

namespace mmcore {
namespace text {

// Rows of ids in memory of the caller: `width` ids each, or, where `row_splits` is not empty, row i is
// ids[row_splits[i], row_splits[i + 1]).
template <typename Id>  // int32_t or int64_t.
struct IdRows {
  Span<const Id> ids;
  const bool* mask = nullptr;  // One for each id, false: left out, whatever the id is. nullptr: all count.
  size_t num_rows = 0;
  size_t width = 0;
  Span<const int64_t> row_splits;
};

// Calls write(i, text) once for each row, from many threads at once, in any order; the text is valid while
// write runs. Throws InvalidArgument for an id outside of the vocabulary, and for rows that are not in `ids`.
template <typename Id>
MMCORE_API void DecodeRows(const Tokenizer& tokenizer, const IdRows<Id>& rows, bool skip_special,
                           Executor& executor,
                           const std::function<void(size_t row, std::string_view text)>& write);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_DECODE_ROWS_H_
