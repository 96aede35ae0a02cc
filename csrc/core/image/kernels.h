// The inner loops, one set for each instruction set, all giving the same bytes.
//
// Source rows are resampled horizontally four at a time into a "quad": byte 4 (x C + c) + r holds channel c
// of output column x of row r. Four vertically adjacent bytes lie side by side, which is the order that
// dot-product instructions want in the vertical pass.
#ifndef MMCORE_CORE_IMAGE_KERNELS_H_
#define MMCORE_CORE_IMAGE_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"
#include "core/image/normalization.h"

namespace mmcore::image {

// How far beyond its last used byte a kernel may read or write.
constexpr size_t kSlack = 64;

struct Kernels {
  // Weights come in groups of four, in `words_per_group` 32-bit words of the kernels' own format.
  size_t words_per_group;
  void (*encode)(const int32_t weights[4], int32_t* words);

  // For x < count: taps are at rows[r] + offsets[x] + t * channels, t < 4 * groups; reads 16 bytes a group.
  void (*horizontal)(const uint8_t* const rows[4], const uint32_t* offsets, const int32_t* words,
                     size_t groups, size_t count, size_t channels, uint8_t* quad);

  // One row of `count` bytes from `groups` quads. Touches whole vectors: up to kSlack bytes past the end.
  void (*vertical)(const uint8_t* const* quads, const int32_t* words, size_t groups, size_t count,
                   uint8_t* row);

  // `count` floats from a row of three-channel pixels; neither reads nor writes past the end.
  void (*normalize)(const uint8_t* row, size_t count, const Normalization& normalization, float* out);
};

// The kernels for `isa`; where that set has none of its own, or an extension is missing, the next lower ones.
const Kernels& KernelsFor(Isa isa);

// Four rows of `count` bytes to a quad, and back.
void Interleave(const uint8_t* const rows[4], size_t count, uint8_t* quad);
void Deinterleave(const uint8_t* quad, size_t count, uint8_t* const rows[4]);

const Kernels& ScalarKernels();
#if MMCORE_X86
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();
bool HasAvx512Vnni();
#endif

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_KERNELS_H_
