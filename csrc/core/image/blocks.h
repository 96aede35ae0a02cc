// The horizontal pass in blocks: see Blocks in kernels.h.
#ifndef MMCORE_CORE_IMAGE_BLOCKS_H_
#define MMCORE_CORE_IMAGE_BLOCKS_H_

#include "core/image/kernels.h"
#include "core/image/taps.h"

namespace mmcore::image {

// Blocks of as many outputs as fit, or none where they would be slower than the kernel that works without: starts
// are counted from source column `first_column`.
Blocks MakeBlocks(const Taps& taps, size_t channels, size_t first_column, const Kernels& kernels);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_BLOCKS_H_
