// Taps in the kernels' own weight format: groups of four weights, aligned for the pass that uses them.
#ifndef MMCORE_CORE_IMAGE_PLAN_H_
#define MMCORE_CORE_IMAGE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/image/kernels.h"
#include "core/image/taps.h"

namespace mmcore::image {

// One pass over an axis: output i begins at starts[i] and reads `groups` groups; its words are at words(i).
struct Pass {
  size_t groups = 0;
  size_t words_per_output = 0;
  std::vector<uint32_t> starts;
  std::vector<int32_t> encoded;

  const int32_t* words(size_t i) const { return encoded.data() + i * words_per_output; }
};

// starts: byte offsets in a source row.
Pass HorizontalPass(const Taps& taps, size_t channels, const Kernels& kernels);

// starts: quads counted from source row `first_row`.
Pass VerticalPass(const Taps& taps, size_t first_row, const Kernels& kernels);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_PLAN_H_
