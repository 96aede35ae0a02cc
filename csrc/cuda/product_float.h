// The products of product.h for float32, in float32 throughout (no TF32): fused multiply-adds of the CUDA cores, bound
// by these (an A100 has 19.5, an H100 67 TFLOP/s), not by shared memory: in AddWeighted a lane reads 8 bytes for four
// or eight multiply-adds.
#ifndef MMCORE_CUDA_PRODUCT_FLOAT_H_
#define MMCORE_CUDA_PRODUCT_FLOAT_H_

#include "cuda/tile.h"

namespace mmcore::cuda {

template <typename T, int kDim>
struct Product;  // product.h

template <int kRowTiles>
MMCORE_DEVICE void LoadLeft(Chunk<float> (&to)[kRowTiles][2], const float* left, int pitch) {
  const int row = AccumulatorPlace(Lane(), 0).row;
  MMCORE_UNROLL
  for (int m = 0; m < kRowTiles; ++m) {
    MMCORE_UNROLL
    for (int half = 0; half < 2; ++half) {
      to[m][half] = *reinterpret_cast<const Chunk<float>*>(left + (m * kTileRows + row + 8 * half) * pitch);
    }
  }
}

// Scratch of one warp, by way of which lanes see each other's weights.
MMCORE_BOTH constexpr int ScratchPitch(int inner) { return inner + 4; }

template <int kDim>
struct Product<float, kDim> {
  template <int kRowTiles, int kColumnTiles>
  MMCORE_DEVICE static void AddDots(float (&sums)[kRowTiles][kColumnTiles][4], const float* left, const float* right) {
    constexpr int kRight = kPitch<float, kDim>;
    right += AccumulatorPlace(Lane(), 0).column * kRight;
    MMCORE_UNROLL_TWICE
    for (int k = 0; k < kDim; k += 4) {
      Chunk<float> a[kRowTiles][2];
      LoadLeft<kRowTiles>(a, left + k, kRight);
      MMCORE_UNROLL
      for (int n = 0; n < kColumnTiles; ++n) {
        MMCORE_UNROLL
        for (int i = 0; i < 2; ++i) {
          const auto b = *reinterpret_cast<const Chunk<float>*>(right + (n * kTileColumns + i) * kRight + k);
          MMCORE_UNROLL
          for (int m = 0; m < kRowTiles; ++m) {
            MMCORE_UNROLL
            for (int j = 0; j < 4; ++j) {
              sums[m][n][i] = MultiplyAdd(a[m][0].values[j], b.values[j], sums[m][n][i]);
              sums[m][n][i + 2] = MultiplyAdd(a[m][1].values[j], b.values[j], sums[m][n][i + 2]);
            }
          }
        }
      }
    }
  }

  template <int kRowTiles, int kInnerTiles>
  MMCORE_DEVICE static void AddWeighted(float (&sums)[kRowTiles][kDim / kTileColumns][4],
                                        const float (&weights)[kRowTiles][kInnerTiles][4], const float* right,
                                        float* scratch) {
    constexpr int kPitchOfWeights = ScratchPitch(kInnerTiles * kTileColumns);
    ForEach<kRowTiles, kInnerTiles>([&](int m, int n, int i, int row, int column) {
      if (i % 2 == 0) StorePair(scratch + row * kPitchOfWeights + column, weights[m][n][i], weights[m][n][i + 1]);
    });
    SyncWarp();
    right += AccumulatorPlace(Lane(), 0).column;
    MMCORE_UNROLL_TWICE
    for (int k = 0; k < kInnerTiles * kTileColumns; k += 4) {
      Chunk<float> a[kRowTiles][2];
      LoadLeft<kRowTiles>(a, scratch + k, kPitchOfWeights);
      MMCORE_UNROLL
      for (int n = 0; n < kDim / kTileColumns; ++n) {
        MMCORE_UNROLL
        for (int j = 0; j < 4; ++j) {
          const float* from = right + (k + j) * kPitch<float, kDim> + n * kTileColumns;
          const auto b = *reinterpret_cast<const Pair<float>*>(from);
          MMCORE_UNROLL
          for (int m = 0; m < kRowTiles; ++m) {
            sums[m][n][0] = MultiplyAdd(a[m][0].values[j], b.values[0], sums[m][n][0]);
            sums[m][n][1] = MultiplyAdd(a[m][0].values[j], b.values[1], sums[m][n][1]);
            sums[m][n][2] = MultiplyAdd(a[m][1].values[j], b.values[0], sums[m][n][2]);
            sums[m][n][3] = MultiplyAdd(a[m][1].values[j], b.values[1], sums[m][n][3]);
          }
        }
      }
    }
    SyncWarp();
  }
};

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_PRODUCT_FLOAT_H_
