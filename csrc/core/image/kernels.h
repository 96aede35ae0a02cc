// The inner loops, one set for each instruction set, all giving the same bytes.
//
// Source rows are resampled horizontally four at a time into a "quad": byte 4 (x C + c) + r holds channel c
// of output column x of row r. Four vertically adjacent bytes lie side by side, which is the order that
// dot-product instructions want in the vertical pass.
#ifndef MMCORE_CORE_IMAGE_KERNELS_H_
#define MMCORE_CORE_IMAGE_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/cpu.h"
#include "core/image/normalization.h"

namespace mmcore::image {

// How far beyond its last used byte a kernel may read or write a row; a quad, being four rows, four times that.
constexpr size_t kSlack = 64;
constexpr size_t kQuadSlack = 4 * kSlack;

// The weights of a horizontal pass, for kernels that make `pixels` neighbouring outputs in one vector of 16 lanes:
// lane p C + c is channel c of output p. For each group of four taps a block loads 64 bytes of a row, and picks the
// four bytes of every lane from them.
struct Blocks {
  static constexpr size_t kLanes = 16;

  size_t pixels = 0;  // 0: this pass does not go in blocks.
  size_t groups = 0;
  std::vector<uint32_t> starts;  // Of each block, in bytes.
  Buffer<uint8_t> picks;         // 64 for each block: where, of the 64 bytes loaded, each byte of the lanes lies.
  Buffer<int32_t> words;         // words_per_group x kLanes for each block and group.
};

// The widest format of a group of four weights.
constexpr size_t kMaxWordsPerGroup = 4;

struct Kernels {
  // Weights come in groups of four, in `words_per_group` 32-bit words of the kernels' own format.
  size_t words_per_group;
  void (*encode)(const int32_t weights[4], int32_t* words);

  // For x < count: taps are at rows[r] + offsets[x] + t * channels, t < 4 * groups; reads 16 bytes a group.
  void (*horizontal)(const uint8_t* const rows[4], const uint32_t* offsets, const int32_t* words,
                     size_t groups, size_t count, size_t channels, uint8_t* quad);

  // The same in blocks; reads 64 bytes a group. Null where the set has no such kernel.
  void (*horizontal_blocks)(const uint8_t* const rows[4], const Blocks& blocks, size_t channels, uint8_t* quad);

  // One row of `count` bytes from `groups` quads. Touches whole vectors.
  void (*vertical)(const uint8_t* const* quads, const int32_t* words, size_t groups, size_t count,
                   uint8_t* row);

  // The channels of `width` pixels of three, one after the other. Touches whole vectors.
  void (*split)(const uint8_t* row, size_t width, uint8_t* const planes[3]);

  // `count` numbers from a row of `normalization.channels` channels; neither read nor write past the end.
  void (*to_float32)(const uint8_t* row, size_t count, const Normalization& normalization, float* out);
  void (*to_bfloat16)(const uint8_t* row, size_t count, const Normalization& normalization, uint16_t* out);
  void (*to_float16)(const uint8_t* row, size_t count, const Normalization& normalization, uint16_t* out);
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
const Kernels& Avx512VbmiKernels();
bool HasAvx512Vnni();
bool HasAvx512Vbmi();
#endif

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_KERNELS_H_
