// Where the numbers of a warp's 16 x 8 accumulators lie, and which rows its lanes point at to load operands: the one
// place that knows. All kernels, also those of float32, hold scores and sums in this layout.
#ifndef MMCORE_CUDA_LAYOUT_H_
#define MMCORE_CUDA_LAYOUT_H_

#include "cuda/device.h"

namespace mmcore::cuda {

constexpr int kTileRows = 16;    // Rows of an accumulator tile.
constexpr int kTileColumns = 8;  // Its columns.

// A place in a tile of numbers.
struct Place {
  int row, column;
};

// Number i of 4 that a lane holds of an accumulator tile. Four neighbouring lanes, a quad, share two rows.
MMCORE_BOTH constexpr Place AccumulatorPlace(int lane, int i) {
  return {lane / 4 + 8 * (i / 2), 2 * (lane % 4) + i % 2};
}

// Eight numbers of a row, to which a lane points for LoadMatrices. The four matrices are, in this order:
// left operand, 16 x 16: rows 0-7 and 8-15 of columns 0-7, then of columns 8-15.
MMCORE_BOTH constexpr Place LeftPlace(int lane) { return {lane % 16, 8 * (lane / 16)}; }
// Right operand given by its columns (16 columns, 16 deep): depths 0-7 and 8-15 of columns 0-7, then of columns 8-15.
MMCORE_BOTH constexpr Place RightPlace(int lane) { return {lane % 8 + 8 * (lane / 16), 8 * (lane / 8 % 2)}; }
// Right operand given by its rows and transposed while loading: depths 0-7 and 8-15 of columns 0-7, then 8-15.
MMCORE_BOTH constexpr Place RightRowsPlace(int lane) { return {lane % 16, 8 * (lane / 16)}; }

// Calls with (tile of rows, tile of columns, i, row, column) for every number that this lane holds; by columns, so
// that what is loaded for a column (lse, delta, a segment) takes no register for long.
template <int kRowTiles, int kColumnTiles, typename Function>
MMCORE_DEVICE void ForEach(const Function& function) {
  const int lane = Lane();
  MMCORE_UNROLL
  for (int n = 0; n < kColumnTiles; ++n) {
    MMCORE_UNROLL
    for (int m = 0; m < kRowTiles; ++m) {
      MMCORE_UNROLL
      for (int i = 0; i < 4; ++i) {
        const Place place = AccumulatorPlace(lane, i);
        function(m, n, i, m * kTileRows + place.row, n * kTileColumns + place.column);
      }
    }
  }
}

template <int kRowTiles, int kColumnTiles>
MMCORE_DEVICE void Multiply(float (&numbers)[kRowTiles][kColumnTiles][4], float factor) {
  ForEach<kRowTiles, kColumnTiles>([&](int m, int n, int i, int, int) { numbers[m][n][i] *= factor; });
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_LAYOUT_H_
