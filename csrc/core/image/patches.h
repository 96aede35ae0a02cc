// Images of any size and aspect as sequences of square patches, at most so many of each: what a vision model of
// variable resolution reads (NaViT, Dehghani et al. 2023, arXiv:2307.06304; NaFlex of SigLIP 2, Tschannen et al. 2025,
// arXiv:2502.14786, section 2.4.2).
#ifndef MMCORE_CORE_IMAGE_PATCHES_H_
#define MMCORE_CORE_IMAGE_PATCHES_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/image/image.h"
#include "core/image/normalization.h"
#include "core/image/resize.h"

namespace mmcore::image {

struct PatchGrid {
  size_t rows = 0;
  size_t columns = 0;
};

struct PatchOptions {
  size_t patch_size = 16;
  size_t max_patches = 256;
  Filter filter = Filter::kBilinear;
  DType dtype = DType::kFloat32;
  Isa isa = ActiveIsa();
};

// The grid that an image is resized to: rows = ceil(height s / patch_size), columns alike, at least one each, for the
// largest scale s <= 100 with rows x columns <= max_patches, to 1e-5, found by halving as the published processor of
// SigLIP 2 does, in the same floating-point operations. Throws InvalidArgument where the smallest scale, 1e-6, still
// gives too many, and for sides of 0 or above 2^24.
MMCORE_API PatchGrid PatchGridOf(size_t height, size_t width, size_t patch_size, size_t max_patches);

// Bytes of one image's part of a batch. Throws InvalidArgument for options out of range.
MMCORE_API size_t PatchBytes(const PatchOptions& options, size_t channels);

// Image i, resized to grid rows x patch_size by grid columns x patch_size and normalised, becomes the first
// rows x columns patches of the i-th part of `out`, [max_patches, patch_size, patch_size, C], row by row; the rest is
// zeros. `shapes` [B, 2] gets rows and columns. Bit-equal to Resize followed by a table of `normalization`.
// Throws InvalidArgument naming the image's index before anything is written.
MMCORE_API void PatchBatch(Span<const ImageView> images, const PatchOptions& options,
                           const Normalization& normalization, void* out, int32_t* shapes, Executor& executor);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_PATCHES_H_
