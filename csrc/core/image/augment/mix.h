// Mixing the images of a batch with their neighbours: mixup and cutmix.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_MIX_H_
#define MMCORE_CORE_IMAGE_AUGMENT_MIX_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/image/augment/boxes.h"

namespace mmcore::image {

// Beta(alpha, alpha), alpha 0.01 to 100: from two gamma variates of Marsaglia and Tsang, in logarithms, so that small
// ones do not vanish.
double DrawBeta(Stream& stream, double alpha);

// Rows are images; row i is mixed with row i - 1, the first with the last.
struct MixBatch {
  size_t count = 0;
  size_t height = 0;
  size_t width = 0;
  size_t pixel_bytes = 0;
  size_t num_classes = 0;
};

// out = share * row + (1 - share) * neighbour in single precision, for images of float32 and for labels; the share is
// drawn from (seed, step). Throws InvalidArgument for other values of alpha.
MMCORE_API void Mixup(const MixBatch& batch, double alpha, uint64_t seed, uint64_t step, const float* images,
                      const float* labels, float* out_images, float* out_labels, Executor& executor);

// A rectangle of the neighbour's pixels, its area 1 - Beta(alpha, alpha) before it is cut at the border, pasted into
// each image; labels are mixed by the area that it has.
MMCORE_API void CutMix(const MixBatch& batch, double alpha, uint64_t seed, uint64_t step, const void* images,
                       const float* labels, void* out_images, float* out_labels, Executor& executor);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_MIX_H_
