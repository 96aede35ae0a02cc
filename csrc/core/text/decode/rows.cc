#include "core/text/decode/rows.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/errors.h"

namespace mmcore {
namespace text {
namespace {

// Rows that go to one thread at a time: enough work to be worth handing out.
constexpr size_t kIdsPerShare = 4096;

struct Range {
  size_t begin, end;
};

template <typename Id>
Range RangeOf(const IdRows<Id>& rows, size_t row) {
  if (rows.row_splits.empty()) return {row * rows.width, (row + 1) * rows.width};
  return {static_cast<size_t>(rows.row_splits[row]), static_cast<size_t>(rows.row_splits[row + 1])};
}

template <typename Id>
void CheckRows(const IdRows<Id>& rows) {
  if (rows.row_splits.empty()) {
    if (rows.width != 0 && rows.num_rows != rows.ids.size() / rows.width) {
      throw InvalidArgument("expected " + std::to_string(rows.num_rows) + " rows of " +
                            std::to_string(rows.width) + " ids, found " + std::to_string(rows.ids.size()) +
                            " ids in all");
    }
    return;
  }
  const Span<const int64_t> splits = rows.row_splits;
  const bool ends_fit = splits[0] == 0 && static_cast<uint64_t>(splits[splits.size() - 1]) == rows.ids.size();
  if (splits.size() != rows.num_rows + 1 || !ends_fit || !std::is_sorted(splits.begin(), splits.end())) {
    throw InvalidArgument("row_splits must rise from 0 to the number of ids, which is " +
                          std::to_string(rows.ids.size()) + ", as tok.ragged gives them");
  }
}

// The ids of a row that count, all in the vocabulary.
template <typename Id>
void Gather(const IdRows<Id>& rows, size_t row, size_t vocab_size, std::vector<int32_t>& out) {
  out.clear();
  const Range range = RangeOf(rows, row);
  for (size_t i = range.begin; i < range.end; ++i) {
    if (rows.mask != nullptr && !rows.mask[i]) continue;
    const Id id = rows.ids[i];
    if (id < 0 || static_cast<uint64_t>(id) >= vocab_size) {
      throw InvalidArgument("row " + std::to_string(row) + " has the id " + std::to_string(id) +
                            ", which is not in the vocabulary of " + std::to_string(vocab_size) +
                            "; mask padding out");
    }
    out.push_back(static_cast<int32_t>(id));
  }
}

}  // namespace

template <typename Id>
void DecodeRows(const Tokenizer& tokenizer, const IdRows<Id>& rows, bool skip_special, Executor& executor,
                const std::function<void(size_t row, std::string_view text)>& write) {
  CheckRows(rows);
  if (rows.num_rows == 0) return;
  const size_t per_row = std::max<size_t>(1, rows.ids.size() / rows.num_rows);
  const size_t per_share = std::max<size_t>(1, kIdsPerShare / per_row);
  executor.ParallelFor((rows.num_rows + per_share - 1) / per_share, [&](size_t share) {
    std::vector<int32_t> ids;
    const size_t end = std::min(rows.num_rows, (share + 1) * per_share);
    for (size_t row = share * per_share; row < end; ++row) {
      Gather(rows, row, tokenizer.vocab_size(), ids);
      write(row, tokenizer.Decode(ids, skip_special));
    }
  });
}

template MMCORE_API void DecodeRows<int32_t>(const Tokenizer&, const IdRows<int32_t>&, bool, Executor&,
                                             const std::function<void(size_t, std::string_view)>&);
template MMCORE_API void DecodeRows<int64_t>(const Tokenizer&, const IdRows<int64_t>&, bool, Executor&,
                                             const std::function<void(size_t, std::string_view)>&);

}  // namespace text
}  // namespace mmcore
