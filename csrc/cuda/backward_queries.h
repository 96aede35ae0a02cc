// The gradient of the queries: a block has kRows queries of one head and passes over the keys that they may see, as the
// forward pass does. 6 head_dim operations a pair in three products, two of which backward_keys.h computes, too: seven
// in all where six would do, for which no sum goes through memory, let alone in an order of chance.
#ifndef MMCORE_CUDA_BACKWARD_QUERIES_H_
#define MMCORE_CUDA_BACKWARD_QUERIES_H_

#include "cuda/narrow.h"
#include "cuda/scorer.h"
#include "cuda/shapes.h"

namespace mmcore::cuda {

// Shared memory: queries and gradients of out; keys and values, twice; scratch; room for Narrow.
template <typename T, int kDim>
struct QueriesMemory {
  using Shape = QueriesShape<T, kDim>;
  static constexpr int kTile = kTileBytes<T, kDim>(Shape::kColumns);
  static constexpr int kGradients = kTileBytes<T, kDim>(Shape::kRows), kKeys = 2 * kGradients;
  static constexpr int kValues = kKeys + 2 * kTile, kScratch = kValues + 2 * kTile;
  static constexpr int kNarrow = kScratch + kScratchBytes<T, Shape>, kBytes = kNarrow + 2 * 4 * Shape::kWarps;
  static_assert(kBytes <= kMostShared);
};

// The lse and delta of the rows of which this lane holds numbers; 0 where there is no such query.
template <int kRowTiles>
struct RowNumbers {
  float lse[kRowTiles][2], delta[kRowTiles][2];

  MMCORE_DEVICE RowNumbers(const Call& call, int batch, int head, int first) {
    const int64_t start = (static_cast<int64_t>(batch) * call.heads + head) * call.queries;
    MMCORE_UNROLL
    for (int m = 0; m < kRowTiles; ++m) {
      MMCORE_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int query = first + m * kTileRows + AccumulatorPlace(Lane(), 2 * half).row;
        const bool inside = query < call.queries;
        lse[m][half] = inside ? call.lse[start + query] : 0.0f;
        delta[m][half] = inside ? call.delta[start + query] : 0.0f;
      }
    }
  }
};

// Grid: blocks of queries, heads, batch, the last queries first as in the forward pass.
template <typename T, int kDim, bool kGeneral>
MMCORE_KERNEL((QueriesShape<T, kDim>::kThreads))
BackwardQueriesKernel(MMCORE_PARAMETER Call call) {
  using Shape = QueriesShape<T, kDim>;
  using Memory = QueriesMemory<T, kDim>;
  constexpr int kThreads = Shape::kThreads, kKeys = Shape::kColumns, kRowTiles = Shape::kRowTiles;
  std::byte* shared = SharedMemory();
  T* const query_tile = reinterpret_cast<T*>(shared);
  T* const gradient_tile = reinterpret_cast<T*>(shared + Memory::kGradients);
  const auto key_tile = [&](int stage) { return reinterpret_cast<T*>(shared + Memory::kKeys + stage * Memory::kTile); };
  const auto value_tile = [&](int stage) {
    return reinterpret_cast<T*>(shared + Memory::kValues + stage * Memory::kTile);
  };

  const int blocks = (call.queries + Shape::kRows - 1) / Shape::kRows;
  const int first = (blocks - 1 - BlockX()) * Shape::kRows, head = BlockY(), batch = BlockZ();
  const int kv_head = head / (call.heads / call.kv_heads);
  const Range queries{first, Smaller(first + Shape::kRows, call.queries)};
  const auto of_queries = [&](const MmcoreTensor& x) { return HeadOf<const T>(call, x, batch, head, call.queries); };
  LoadTile<T, kDim, Shape::kRows, kThreads>(query_tile, of_queries(call.q), first);
  LoadTile<T, kDim, Shape::kRows, kThreads>(gradient_tile, of_queries(call.dout), first);
  Range keys = KeysOf(call, queries);
  if constexpr (kGeneral) {
    keys = NarrowKeys<kThreads>(call, batch, head, queries, keys, reinterpret_cast<int*>(shared + Memory::kNarrow));
  }
  const Rows<const T> key_rows = HeadOf<const T>(call, call.k, batch, kv_head, call.keys);
  const Rows<const T> value_rows = HeadOf<const T>(call, call.v, batch, kv_head, call.keys);
  const auto load = [&](int begin, int stage) {
    LoadTile<T, kDim, kKeys, kThreads>(key_tile(stage), key_rows, begin);
    LoadTile<T, kDim, kKeys, kThreads>(value_tile(stage), value_rows, begin);
  };
  if (keys.begin < keys.end) load(keys.begin, 0);

  const Scorer<T, kGeneral> scorer(call, SeedOf(call), batch, head);
  T* const my_queries = query_tile + RowOfWarp<Shape>() * kPitch<T, kDim>;
  const T* const my_gradients = gradient_tile + RowOfWarp<Shape>() * kPitch<T, kDim>;
  float* const scratch = ScratchOfWarp<Shape>(shared + Memory::kScratch);
  const int my_first = first + RowOfWarp<Shape>();
  const RowNumbers<kRowTiles> numbers(call, batch, head, my_first);
  float sums[kRowTiles][kDim / kTileColumns][4] = {};
  int stage = 0;
  for (int begin = keys.begin; begin < keys.end; begin += kKeys, stage ^= 1) {
    WaitForCopies();
    SyncBlock();
    if (begin + kKeys < keys.end) load(begin + kKeys, stage ^ 1);
    float products[kRowTiles][Shape::kColumnTiles][4] = {}, gradients[kRowTiles][Shape::kColumnTiles][4] = {};
    Product<T, kDim>::AddDots(products, my_queries, key_tile(stage));
    Product<T, kDim>::AddDots(gradients, my_gradients, value_tile(stage));
    const bool whole = AllPlacesMeet(call, queries, {begin, begin + kKeys});
    ForEach<kRowTiles, Shape::kColumnTiles>([&](int m, int n, int i, int row, int column) {
      gradients[m][n][i] = scorer.Pull(products[m][n][i], gradients[m][n][i], numbers.lse[m][i / 2],
                                       numbers.delta[m][i / 2], my_first + row, begin + column, whole).product;
    });
    Product<T, kDim>::AddWeighted(sums, gradients, key_tile(stage), scratch);
  }
  WaitForCopies();  // Of the queries, where there were no keys.
  SyncBlock();
  Multiply(sums, call.scale);
  StoreRows<T, kDim, kRowTiles>(my_queries, sums, HeadOf<T>(call, call.dq, batch, head, call.queries), my_first);
}

template <typename T, int kDim, bool kGeneral>
const char* LaunchBackwardQueries(const Call& call, Stream stream) {
  using Shape = QueriesShape<T, kDim>;
  const Grid grid{(call.queries + Shape::kRows - 1) / Shape::kRows, call.heads, call.batch};
  return Launch<const Call>(BackwardQueriesKernel<T, kDim, kGeneral>, grid, Shape::kThreads,
                            QueriesMemory<T, kDim>::kBytes, stream, call);
}

// Queues the gradient of q; null or what is wrong. delta must be there.
template <typename T>
const char* QueryGradients(const Call& call, Stream stream) {
  return WithDim(call.head_dim, [&](auto dim) {
    constexpr int kDim = decltype(dim)::value;
    return NeedsGeneral(call) ? LaunchBackwardQueries<T, kDim, true>(call, stream)
                              : LaunchBackwardQueries<T, kDim, false>(call, stream);
  });
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_BACKWARD_QUERIES_H_
