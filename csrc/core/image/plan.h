// What both passes over an image need: taps in the kernels' own weight format.
#ifndef MMCORE_CORE_IMAGE_PLAN_H_
#define MMCORE_CORE_IMAGE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/image/kernels.h"
#include "core/image/taps.h"

namespace mmcore::image {

// All that a plan depends on.
struct Geometry {
  Axis across;
  Axis down;
  Filter filter;
  size_t channels;
  bool vertical_first;
  const Kernels* kernels;

  bool operator==(const Geometry& other) const {
    return across == other.across && down == other.down && filter == other.filter && channels == other.channels &&
           vertical_first == other.vertical_first && kernels == other.kernels;
  }
};

// One pass over an axis: output i begins at starts[i] and reads used[i] <= groups groups of four taps; its words are
// at words(i), those of groups that it does not read being zero.
struct Pass {
  size_t groups = 0;
  size_t words_per_output = 0;
  std::vector<uint32_t> starts;
  std::vector<uint32_t> used;
  std::vector<int32_t> encoded;

  const int32_t* words(size_t i) const { return encoded.data() + i * words_per_output; }
};

struct Plan {
  explicit Plan(const Geometry& geometry);

  // Four rows that begin at the first column.
  void Horizontal(const uint8_t* const rows[4], uint8_t* quad) const;
  size_t num_bytes() const;

  Geometry geometry;
  size_t first_row, first_column;  // Of the source, as far as the window needs it.
  size_t column_bytes;             // From the first to the last needed column.
  size_t reach;                    // How many bytes of a row the horizontal pass may read, at least column_bytes.
  Pass vertical;                   // starts: quads counted from first_row.
  Pass horizontal;                 // starts: bytes from first_column; empty where `blocks` is not.
  Blocks blocks;
};

// The plan for `geometry`, valid until this thread asks for another. Photos come in few sizes and making the weights
// costs up to a fifth of using them: each thread keeps the last few plans.
const Plan& PlanFor(const Geometry& geometry);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_PLAN_H_
