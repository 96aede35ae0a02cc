// Widths of a head for which there are kernels, and how much a block of them does at once. Its warps own kRowTiles
// tiles of 16 rows each (queries or keys), and a loop passes over the other side, kColumns at a time, twice buffered.
//
// Registers set the first (a lane holds kRowTiles * kDim / 2 sums of the forward pass, the same of the queries'
// gradient and twice as many of the keys' and values', besides one or two tiles of scores; 255 is all there is, and the
// tests of the build allow no spills), shared memory the second: 99 KiB is the most a block may have on compute
// capability 8.6, 8.9 and 12.0, which have the least.
#ifndef MMCORE_CUDA_SHAPES_H_
#define MMCORE_CUDA_SHAPES_H_

#include <type_traits>

#include "cuda/product.h"

namespace mmcore::cuda {

constexpr int kMostDim = 128;

// Calls with the width of the kernels that serve heads of `dim` numbers, as an std::integral_constant.
template <typename Function>
const char* WithDim(int dim, const Function& function) {
  if (dim <= 32) return function(std::integral_constant<int, 32>());
  if (dim <= 64) return function(std::integral_constant<int, 64>());
  if (dim <= 96) return function(std::integral_constant<int, 96>());
  return function(std::integral_constant<int, kMostDim>());
}

constexpr int kMostShared = 99 * 1024;

template <int kWarps_, int kRowTiles_, int kColumns_>
struct Shape {
  static constexpr int kWarps = kWarps_, kRowTiles = kRowTiles_, kColumns = kColumns_;
  static constexpr int kThreads = kWarps * kLanes;
  static constexpr int kRows = kWarps * kRowTiles * kTileRows;
  static constexpr int kColumnTiles = kColumns / kTileColumns;
};

template <typename T, int kDim>
using ForwardShape =
    std::conditional_t<std::is_same_v<T, float>,
                       std::conditional_t<(kDim <= 64), Shape<4, 2, 32>,
                                          std::conditional_t<(kDim <= 96), Shape<4, 2, 16>, Shape<4, 1, 16>>>,
                       std::conditional_t<(kDim <= 64), Shape<4, 2, 64>, Shape<4, 2, 32>>>;

template <typename T, int kDim>
using QueriesShape =
    std::conditional_t<std::is_same_v<T, float>,
                       std::conditional_t<(kDim <= 64), Shape<4, 1, 32>,
                                          std::conditional_t<(kDim <= 96), Shape<4, 1, 16>, Shape<2, 1, 16>>>,
                       std::conditional_t<(kDim <= 64), Shape<4, 2, 32>, Shape<4, 1, 32>>>;

// The keys' and values' gradients of the general case need the registers of half a tile more.
template <typename T, int kDim, bool kGeneral>
using KeysShape = std::conditional_t<!std::is_same_v<T, float> && kDim == 64 && kGeneral, Shape<4, 2, 16>,
                                     QueriesShape<T, kDim>>;

template <typename T, int kDim>
using BiasShape = std::conditional_t<std::is_same_v<T, float> && (kDim > 96), Shape<4, 1, 16>, Shape<4, 1, 32>>;

// Bytes by way of which a block's lanes pass weights (product_float.h). Tensor cores need none.
template <typename T, typename Shape>
constexpr int kScratchBytes = std::is_same_v<T, float> ? Shape::kRows * ScratchPitch(Shape::kColumns) * 4 : 0;

// This warp's part of them.
template <typename Shape>
MMCORE_DEVICE float* ScratchOfWarp(std::byte* scratch) {
  return reinterpret_cast<float*>(scratch) + Warp() * Shape::kRowTiles * kTileRows * ScratchPitch(Shape::kColumns);
}

// The first row that this warp owns of the block's.
template <typename Shape>
MMCORE_DEVICE int RowOfWarp() {
  return Warp() * Shape::kRowTiles * kTileRows;
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_SHAPES_H_
