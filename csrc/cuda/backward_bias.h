// The gradient of the bias: a block has kRows queries and kColumns keys of the bias and passes over the heads and
// examples (and blocks of queries) that share this part of it, in one order. 4 head_dim operations a pair in two
// products, and one float32 written: bound by these bytes unless the bias is shared. A bias that all queries share
// gives few blocks, and few of a GPU's processors something to do.
#ifndef MMCORE_CUDA_BACKWARD_BIAS_H_
#define MMCORE_CUDA_BACKWARD_BIAS_H_

#include "cuda/backward_queries.h"

namespace mmcore::cuda {

// Shared memory: queries and gradients of out; keys and values; a row of sums for each warp.
template <typename T, int kDim>
struct BiasMemory {
  using Shape = BiasShape<T, kDim>;
  static constexpr int kGradients = kTileBytes<T, kDim>(Shape::kRows), kKeys = 2 * kGradients;
  static constexpr int kValues = kKeys + kTileBytes<T, kDim>(Shape::kColumns);
  static constexpr int kSums = kValues + kTileBytes<T, kDim>(Shape::kColumns);
  static constexpr int kBytes = kSums + 4 * Shape::kWarps * Shape::kColumns;
  static_assert(kBytes <= kMostShared);
};

// Adds the scores' gradients of one head to the sums.
template <typename T, int kDim>
MMCORE_DEVICE void AddScoreGradients(const Call& call, const Seed& seed, int batch, int head, int first, int begin,
                                     float (&sums)[1][BiasShape<T, kDim>::kColumnTiles][4]) {
  using Shape = BiasShape<T, kDim>;
  using Memory = BiasMemory<T, kDim>;
  constexpr int kThreads = Shape::kThreads;
  T* const query_tile = reinterpret_cast<T*>(SharedMemory());
  T* const gradient_tile = reinterpret_cast<T*>(SharedMemory() + Memory::kGradients);
  T* const key_tile = reinterpret_cast<T*>(SharedMemory() + Memory::kKeys);
  T* const value_tile = reinterpret_cast<T*>(SharedMemory() + Memory::kValues);
  const int kv_head = head / (call.heads / call.kv_heads);
  SyncBlock();  // No warp reads the tiles of the head before.
  const auto of_queries = [&](const MmcoreTensor& x) { return HeadOf<const T>(call, x, batch, head, call.queries); };
  const auto of_keys = [&](const MmcoreTensor& x) { return HeadOf<const T>(call, x, batch, kv_head, call.keys); };
  LoadTile<T, kDim, Shape::kRows, kThreads>(query_tile, of_queries(call.q), first);
  LoadTile<T, kDim, Shape::kRows, kThreads>(gradient_tile, of_queries(call.dout), first);
  LoadTile<T, kDim, Shape::kColumns, kThreads>(key_tile, of_keys(call.k), begin);
  LoadTile<T, kDim, Shape::kColumns, kThreads>(value_tile, of_keys(call.v), begin);
  const int my_first = first + RowOfWarp<Shape>(), offset = RowOfWarp<Shape>() * kPitch<T, kDim>;
  const RowNumbers<1> numbers(call, batch, head, my_first);
  const Scorer<T, true> scorer(call, seed, batch, head);
  WaitForCopies();
  SyncBlock();
  float products[1][Shape::kColumnTiles][4] = {}, gradients[1][Shape::kColumnTiles][4] = {};
  Product<T, kDim>::AddDots(products, query_tile + offset, key_tile);
  Product<T, kDim>::AddDots(gradients, gradient_tile + offset, value_tile);
  ForEach<1, Shape::kColumnTiles>([&](int m, int n, int i, int row, int column) {
    sums[m][n][i] += scorer.Pull(products[m][n][i], gradients[m][n][i], numbers.lse[m][i / 2], numbers.delta[m][i / 2],
                                 my_first + row, begin + column, false).score;
  });
}

// Sums over the block's rows, and writes one row.
template <typename Shape>
MMCORE_DEVICE void StoreColumnSums(const float (&sums)[1][Shape::kColumnTiles][4], float* shared, float* to,
                                   int count) {
  MMCORE_UNROLL
  for (int n = 0; n < Shape::kColumnTiles; ++n) {
    MMCORE_UNROLL
    for (int i = 0; i < 2; ++i) {
      float sum = sums[0][n][i] + sums[0][n][i + 2];
      for (int lanes = 4; lanes < kLanes; lanes *= 2) sum += ShuffleXor(sum, lanes);
      if (Lane() < 4) shared[Warp() * Shape::kColumns + n * kTileColumns + AccumulatorPlace(Lane(), i).column] = sum;
    }
  }
  SyncBlock();
  for (int column = ThreadIndex(); column < Smaller(count, Shape::kColumns); column += Shape::kThreads) {
    float sum = 0;
    for (int warp = 0; warp < Shape::kWarps; ++warp) sum += shared[warp * Shape::kColumns + column];
    to[column] = sum;
  }
}

// Grid: blocks of keys; blocks of queries, or 1 where queries share the bias; heads and examples that do not share it.
template <typename T, int kDim>
MMCORE_KERNEL((BiasShape<T, kDim>::kThreads))
BackwardBiasKernel(MMCORE_PARAMETER Call call) {
  using Shape = BiasShape<T, kDim>;
  const MmcoreBroadcast& dbias = call.dbias;
  const int begin = BlockX() * Shape::kColumns, heads = dbias.head == 0 ? 1 : call.heads;
  const int head = BlockZ() % heads, batch = BlockZ() / heads;  // The first of those that share.
  const int query_end = dbias.query == 0 ? call.queries : Smaller((BlockY() + 1) * Shape::kRows, call.queries);
  const Seed seed = SeedOf(call);
  float sums[1][Shape::kColumnTiles][4] = {};
  for (int b = batch; b < call.batch; b += dbias.batch == 0 ? 1 : call.batch) {
    for (int h = head; h < call.heads; h += dbias.head == 0 ? 1 : call.heads) {
      for (int first = BlockY() * Shape::kRows; first < query_end; first += Shape::kRows) {
        AddScoreGradients<T, kDim>(call, seed, b, h, first, begin, sums);
      }
    }
  }
  float* to = static_cast<float*>(dbias.data) + batch * dbias.batch + head * dbias.head;
  if (dbias.query == 0) {
    StoreColumnSums<Shape>(sums, reinterpret_cast<float*>(SharedMemory() + BiasMemory<T, kDim>::kSums), to + begin,
                           call.keys - begin);
    return;
  }
  ForEach<1, Shape::kColumnTiles>([&](int m, int n, int i, int row, int column) {
    const int query = BlockY() * Shape::kRows + RowOfWarp<Shape>() + row;
    if (query < call.queries && begin + column < call.keys) to[query * dbias.query + begin + column] = sums[m][n][i];
  });
}

template <typename T, int kDim>
const char* LaunchBackwardBias(const Call& call, Stream stream) {
  using Shape = BiasShape<T, kDim>;
  const int query_blocks = call.dbias.query == 0 ? 1 : (call.queries + Shape::kRows - 1) / Shape::kRows;
  const Grid grid{(call.keys + Shape::kColumns - 1) / Shape::kColumns, query_blocks,
                  (call.dbias.head == 0 ? 1 : call.heads) * (call.dbias.batch == 0 ? 1 : call.batch)};
  return Launch<const Call>(BackwardBiasKernel<T, kDim>, grid, Shape::kThreads, BiasMemory<T, kDim>::kBytes, stream,
                            call);
}

// Queues the gradient of the bias; null or what is wrong. delta must be there.
template <typename T>
const char* BiasGradient(const Call& call, Stream stream) {
  return WithDim(call.head_dim, [&](auto dim) {
    constexpr int kDim = decltype(dim)::value;
    return LaunchBackwardBias<T, kDim>(call, stream);
  });
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_BACKWARD_BIAS_H_
