// Packs sequences into rows of one length, so that a model computes hardly any padding.
//
// First fit: the sequences are placed one after the other, each into the first row that has room, and a row that was
// not used yet always has. Within a row they stand in their given order, without gaps, and the rest of it is padding.
// Source: Johnson 1974, Fast algorithms for bin packing (with the first row found in a tree of the rooms).
#ifndef MMCORE_CORE_PACKING_PACK_H_
#define MMCORE_CORE_PACKING_PACK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/api.h"
#include "core/base/span.h"

namespace mmcore::packing {

struct Options {
  size_t length = 0;          // Of a row, 1 to 2^31 - 1.
  size_t rows = 0;            // How many; 0: as many as are needed.
  size_t max_segments = 0;    // Most sequences of a row; 0: no limit.
  bool longest_first = false;  // Place long sequences before shorter ones; those of one length in their order.
  bool truncate = false;      // Cut longer sequences at their end; otherwise they are an error.
};

// Where a sequence stands. Segments of a row count from 1. Segment 0: the sequence is empty and stands nowhere;
// segment -1: no row had room. The row of both is -1.
struct Place {
  int32_t row = -1, segment = -1;
};

struct Plan {
  std::vector<Place> places;  // One for each sequence.
  size_t rows = 0;            // As in the options, or those that are used.
};

// Sequence i has the values from row_splits[i] up to row_splits[i + 1]; O(n log n) for n sequences. Throws
// InvalidArgument where the splits do not begin with 0, fall, or do not end with num_values, where a sequence is
// too long, or an option is out of bounds; LimitError for 2^31 sequences or more.
MMCORE_API Plan MakePlan(Span<const int64_t> row_splits, size_t num_values, const Options& options);

// What Write fills, row by row: [rows, length] each.
struct Rows {
  void* values = nullptr;           // Elements of element_bytes; zeros at padding.
  int32_t* segment_ids = nullptr;   // 0 at padding.
  int32_t* positions = nullptr;     // Within the segment, from 0; 0 at padding.
};

// `plan`, `row_splits` and `length` as they were for MakePlan; `values` holds the last split times element_bytes.
MMCORE_API void Write(const Plan& plan, Span<const int64_t> row_splits, size_t length, const void* values,
                      size_t element_bytes, const Rows& out);

}  // namespace mmcore::packing

#endif  // MMCORE_CORE_PACKING_PACK_H_
