// Tiles of rows in shared memory.
#ifndef MMCORE_CUDA_TILE_H_
#define MMCORE_CUDA_TILE_H_

#include <cstdint>

#include "cuda/call.h"
#include "cuda/layout.h"

namespace mmcore::cuda {

// Rows of a tile lie this many numbers apart: 16 bytes more than they hold. So they are an odd number of chunks of 16
// bytes apart, and the eight rows that ldmatrix reads at once fall into different banks.
template <typename T, int kDim>
constexpr int kPitch = kDim + kPerChunk<T>;

template <typename T, int kDim>
constexpr int kTileBytes(int rows) {
  return rows * kPitch<T, kDim> * static_cast<int>(sizeof(T));
}

// One head of a tensor: rows of head_dim numbers.
template <typename T>
struct Rows {
  T* data;
  int64_t pitch;
  int count, dim;
  bool aligned;
};

template <typename T>
MMCORE_DEVICE Rows<T> HeadOf(const Call& call, const MmcoreTensor& tensor, int batch, int head, int count) {
  return {static_cast<T*>(tensor.data) + batch * tensor.batch + head * tensor.head, tensor.row, count, call.head_dim,
          call.aligned};
}

// All threads of the block begin to copy rows from `begin` on into the tile; rows and numbers that are not there
// become zero. There after WaitForCopies and SyncBlock.
template <typename T, int kDim, int kRows, int kThreads>
MMCORE_DEVICE void LoadTile(T* tile, const Rows<const T>& rows, int begin) {
  constexpr int kChunks = kDim / kPerChunk<T>;
  for (int i = ThreadIndex(); i < kRows * kChunks; i += kThreads) {
    const int row = i / kChunks, column = i % kChunks * kPerChunk<T>;
    T* to = tile + row * kPitch<T, kDim> + column;
    const T* from = rows.data + (begin + row) * rows.pitch + column;
    const bool inside = begin + row < rows.count;
    if (rows.aligned) {
      const bool copied = inside && column < rows.dim;
      CopyAsync16(to, copied ? from : rows.data, copied);
    } else {
      for (int j = 0; j < kPerChunk<T>; ++j) to[j] = inside && column + j < rows.dim ? from[j] : T{};
    }
  }
}

MMCORE_DEVICE void StorePair(float* to, float first, float second) {
  *reinterpret_cast<Pair<float>*>(to) = {{first, second}};
}
template <typename T>
MMCORE_DEVICE void StorePair(T* to, float first, float second) {
  *reinterpret_cast<uint32_t*>(to) = Pack<T>(first, second);
}

// Writes a warp's sums to rows from `begin` on, by way of rows of a tile that only this warp reads.
template <typename T, int kDim, int kRowTiles>
MMCORE_DEVICE void StoreRows(T* tile, const float (&sums)[kRowTiles][kDim / kTileColumns][4], const Rows<T>& rows,
                             int begin) {
  SyncWarp();
  ForEach<kRowTiles, kDim / kTileColumns>([&](int m, int n, int i, int row, int column) {
    if (i % 2 == 0) StorePair(tile + row * kPitch<T, kDim> + column, sums[m][n][i], sums[m][n][i + 1]);
  });
  SyncWarp();
  constexpr int kChunks = kDim / kPerChunk<T>;
  for (int i = Lane(); i < kRowTiles * kTileRows * kChunks; i += kLanes) {
    const int row = i / kChunks, column = i % kChunks * kPerChunk<T>;
    if (begin + row >= rows.count || column >= rows.dim) continue;
    const T* from = tile + row * kPitch<T, kDim> + column;
    T* to = rows.data + (begin + row) * rows.pitch + column;
    if (rows.aligned) {
      *reinterpret_cast<Chunk<T>*>(to) = *reinterpret_cast<const Chunk<T>*>(from);
    } else {
      for (int j = 0; j < kPerChunk<T> && column + j < rows.dim; ++j) to[j] = from[j];
    }
  }
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_TILE_H_
