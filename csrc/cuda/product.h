// Matrix products of a warp: its rows on the left, a tile in shared memory on the right, sums in registers. 16-bit
// numbers multiply on the tensor cores, float32 in product_float.h with the same names and layouts.
//
// What bounds them: mma.m16n8k16 makes 4096 operations of a right operand of 256 bytes. An SM reads 128 bytes of shared
// memory a clock, and in the two clocks for 256 bytes an A100 makes 4096 operations, an H100 (by mma) up to 8192: so
// rows should come in two tiles (kRowTiles = 2), which use each right operand twice, wherever registers allow it.
#ifndef MMCORE_CUDA_PRODUCT_H_
#define MMCORE_CUDA_PRODUCT_H_

#include "cuda/product_float.h"
#include "cuda/tile.h"

namespace mmcore::cuda {

template <typename T, int kDim>
struct Product {
  // sums[row][column] += left[row] . right[column], over kDim numbers.
  template <int kRowTiles, int kColumnTiles>
  MMCORE_DEVICE static void AddDots(float (&sums)[kRowTiles][kColumnTiles][4], const T* left, const T* right) {
    const Place from_left = LeftPlace(Lane()), from_right = RightPlace(Lane());
    left += from_left.row * kPitch<T, kDim> + from_left.column;
    right += from_right.row * kPitch<T, kDim> + from_right.column;
    MMCORE_UNROLL
    for (int k = 0; k < kDim; k += 16) {
      uint32_t a[kRowTiles][4];
      MMCORE_UNROLL
      for (int m = 0; m < kRowTiles; ++m) LoadMatrices(a[m], left + m * kTileRows * kPitch<T, kDim> + k);
      MMCORE_UNROLL
      for (int n = 0; n < kColumnTiles; n += 2) {
        uint32_t b[4];
        LoadMatrices(b, right + n * kTileColumns * kPitch<T, kDim> + k);
        MMCORE_UNROLL
        for (int m = 0; m < kRowTiles; ++m) {
          MultiplyAdd<T>(sums[m][n], a[m], b[0], b[1]);
          MultiplyAdd<T>(sums[m][n + 1], a[m], b[2], b[3]);
        }
      }
    }
  }

  // sums[row] += sum over d of weights[row][d] right[d], over 8 kInnerTiles rows of the right tile. The weights are
  // rounded to T. An accumulator tile is half a left operand as it lies.
  template <int kRowTiles, int kInnerTiles>
  MMCORE_DEVICE static void AddWeighted(float (&sums)[kRowTiles][kDim / kTileColumns][4],
                                        const float (&weights)[kRowTiles][kInnerTiles][4], const T* right,
                                        float* /*scratch*/) {
    const Place from_right = RightRowsPlace(Lane());
    right += from_right.row * kPitch<T, kDim> + from_right.column;
    MMCORE_UNROLL
    for (int k = 0; k < kInnerTiles; k += 2) {
      uint32_t a[kRowTiles][4];
      MMCORE_UNROLL
      for (int m = 0; m < kRowTiles; ++m) {
        MMCORE_UNROLL
        for (int j = 0; j < 4; ++j) {
          const float* pair = &weights[m][k + j / 2][2 * (j % 2)];
          a[m][j] = Pack<T>(pair[0], pair[1]);
        }
      }
      MMCORE_UNROLL
      for (int n = 0; n < kDim / kTileColumns; n += 2) {
        uint32_t b[4];
        LoadMatricesTransposed(b, right + k * kTileColumns * kPitch<T, kDim> + n * kTileColumns);
        MMCORE_UNROLL
        for (int m = 0; m < kRowTiles; ++m) {
          MultiplyAdd<T>(sums[m][n], a[m], b[0], b[1]);
          MultiplyAdd<T>(sums[m][n + 1], a[m], b[2], b[3]);
        }
      }
    }
  }
};

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_PRODUCT_H_
