// The gradients of keys and values: a block has kRows keys of one head of keys and passes over the queries of all heads
// that share it, so that sums stay in registers and come in one order: the same bits each time.
//
// 8 head_dim operations a pair in four products. Scores are computed transposed (rows are keys), so that probabilities
// and their gradients lie in registers as left operands of dV += P^T dO and dK += dS^T Q. Source: Dao 2023,
// arXiv:2307.08691, section 3.1 and algorithm 2, here without atomic sums for dQ (backward_queries.h).
#ifndef MMCORE_CUDA_BACKWARD_KEYS_H_
#define MMCORE_CUDA_BACKWARD_KEYS_H_

#include "cuda/narrow.h"
#include "cuda/scorer.h"
#include "cuda/shapes.h"

namespace mmcore::cuda {

// Shared memory: keys and values; queries and gradients of out, twice; their lse and delta, twice; scratch; Narrow.
template <typename T, int kDim, bool kGeneral>
struct KeysMemory {
  using Shape = KeysShape<T, kDim, kGeneral>;
  static constexpr int kTile = kTileBytes<T, kDim>(Shape::kColumns), kLine = 4 * Shape::kColumns;
  static constexpr int kValues = kTileBytes<T, kDim>(Shape::kRows), kQueries = 2 * kValues;
  static constexpr int kGradients = kQueries + 2 * kTile, kLse = kGradients + 2 * kTile;
  static constexpr int kDelta = kLse + 2 * kLine, kScratch = kDelta + 2 * kLine;
  static constexpr int kNarrow = kScratch + kScratchBytes<T, Shape>, kBytes = kNarrow + 2 * 4 * Shape::kWarps;
  static_assert(kBytes <= kMostShared);
};

struct QueryPlace {
  int head, begin;
};

// What the loop over queries reads: a tile of queries of some head, twice buffered.
template <typename T, int kDim, bool kGeneral>
struct QueryTiles {
  using Shape = KeysShape<T, kDim, kGeneral>;
  using Memory = KeysMemory<T, kDim, kGeneral>;
  std::byte* shared;

  MMCORE_DEVICE T* Queries(int stage) const {
    return reinterpret_cast<T*>(shared + Memory::kQueries + stage * Memory::kTile);
  }
  MMCORE_DEVICE T* Gradients(int stage) const {
    return reinterpret_cast<T*>(shared + Memory::kGradients + stage * Memory::kTile);
  }
  MMCORE_DEVICE float* Lse(int stage) const {
    return reinterpret_cast<float*>(shared + Memory::kLse + stage * Memory::kLine);
  }
  MMCORE_DEVICE float* Delta(int stage) const {
    return reinterpret_cast<float*>(shared + Memory::kDelta + stage * Memory::kLine);
  }

  // Queries that are not there become zero with all they have, and so add nothing.
  MMCORE_DEVICE void Load(const Call& call, int batch, QueryPlace place, int stage) const {
    const int head = place.head, begin = place.begin;
    constexpr int kColumns = Shape::kColumns, kThreads = Shape::kThreads;
    const auto of_queries = [&](const MmcoreTensor& x) { return HeadOf<const T>(call, x, batch, head, call.queries); };
    LoadTile<T, kDim, kColumns, kThreads>(Queries(stage), of_queries(call.q), begin);
    LoadTile<T, kDim, kColumns, kThreads>(Gradients(stage), of_queries(call.dout), begin);
    const int64_t start = (static_cast<int64_t>(batch) * call.heads + head) * call.queries;
    for (int i = ThreadIndex(); i < kColumns; i += kThreads) {
      const bool inside = begin + i < call.queries;
      const int64_t from = inside ? start + begin + i : start;
      CopyAsync4(Lse(stage) + i, call.lse + from, inside);
      CopyAsync4(Delta(stage) + i, call.delta + from, inside);
    }
  }
};

// Grid: blocks of keys, heads of keys, batch.
template <typename T, int kDim, bool kGeneral>
MMCORE_KERNEL((KeysShape<T, kDim, kGeneral>::kThreads))
BackwardKeysKernel(MMCORE_PARAMETER Call call) {
  using Shape = KeysShape<T, kDim, kGeneral>;
  using Memory = KeysMemory<T, kDim, kGeneral>;
  constexpr int kThreads = Shape::kThreads, kColumns = Shape::kColumns, kRowTiles = Shape::kRowTiles;
  std::byte* shared = SharedMemory();
  T* const key_tile = reinterpret_cast<T*>(shared);
  T* const value_tile = reinterpret_cast<T*>(shared + Memory::kValues);
  const QueryTiles<T, kDim, kGeneral> tiles{shared};

  const int first = BlockX() * Shape::kRows, kv_head = BlockY(), batch = BlockZ();
  const int group = call.heads / call.kv_heads;  // Heads that share these keys.
  const auto of_keys = [&](const MmcoreTensor& x) { return HeadOf<const T>(call, x, batch, kv_head, call.keys); };
  LoadTile<T, kDim, Shape::kRows, kThreads>(key_tile, of_keys(call.k), first);
  LoadTile<T, kDim, Shape::kRows, kThreads>(value_tile, of_keys(call.v), first);
  const Range keys{first, Smaller(first + Shape::kRows, call.keys)};
  Range queries = QueriesOf(call, keys);
  if constexpr (kGeneral) {
    queries = NarrowQueries<kThreads>(call, batch, keys, queries, reinterpret_cast<int*>(shared + Memory::kNarrow));
  }
  // The loop goes through all tiles of queries of a head, then through those of the next head.
  QueryPlace place{kv_head * group, queries.begin};
  const int last_head = queries.begin < queries.end ? place.head + group : place.head;
  if (place.head < last_head) tiles.Load(call, batch, place, 0);

  const Seed seed = SeedOf(call);
  T* const my_keys = key_tile + RowOfWarp<Shape>() * kPitch<T, kDim>;
  T* const my_values = value_tile + RowOfWarp<Shape>() * kPitch<T, kDim>;
  float* const scratch = ScratchOfWarp<Shape>(shared + Memory::kScratch);
  const int my_first = first + RowOfWarp<Shape>();
  float dkeys[kRowTiles][kDim / kTileColumns][4] = {}, dvalues[kRowTiles][kDim / kTileColumns][4] = {};
  for (int stage = 0; place.head < last_head; stage ^= 1) {
    WaitForCopies();
    SyncBlock();
    const int head = place.head, begin = place.begin;
    place.begin += kColumns;
    if (place.begin >= queries.end) place = {head + 1, queries.begin};
    if (place.head < last_head) tiles.Load(call, batch, place, stage ^ 1);
    float weights[kRowTiles][Shape::kColumnTiles][4] = {}, gradients[kRowTiles][Shape::kColumnTiles][4] = {};
    Product<T, kDim>::AddDots(weights, my_keys, tiles.Queries(stage));
    Product<T, kDim>::AddDots(gradients, my_values, tiles.Gradients(stage));
    const Scorer<T, kGeneral> scorer(call, seed, batch, head);
    const bool whole = AllPlacesMeet(call, {begin, Smaller(begin + kColumns, call.queries)}, keys);
    ForEach<kRowTiles, Shape::kColumnTiles>([&](int m, int n, int i, int row, int column) {
      const Pulled pulled = scorer.Pull(weights[m][n][i], gradients[m][n][i], tiles.Lse(stage)[column],
                                        tiles.Delta(stage)[column], begin + column, my_first + row, whole);
      weights[m][n][i] = pulled.weight;
      gradients[m][n][i] = pulled.product;
    });
    Product<T, kDim>::AddWeighted(dvalues, weights, tiles.Gradients(stage), scratch);
    Product<T, kDim>::AddWeighted(dkeys, gradients, tiles.Queries(stage), scratch);
  }
  WaitForCopies();  // Of the keys and values, where there were no queries.
  SyncBlock();
  Multiply(dkeys, call.scale);
  StoreRows<T, kDim, kRowTiles>(my_keys, dkeys, HeadOf<T>(call, call.dk, batch, kv_head, call.keys), my_first);
  StoreRows<T, kDim, kRowTiles>(my_values, dvalues, HeadOf<T>(call, call.dv, batch, kv_head, call.keys), my_first);
}

template <typename T, int kDim, bool kGeneral>
const char* LaunchBackwardKeys(const Call& call, Stream stream) {
  using Shape = KeysShape<T, kDim, kGeneral>;
  const Grid grid{(call.keys + Shape::kRows - 1) / Shape::kRows, call.kv_heads, call.batch};
  return Launch<const Call>(BackwardKeysKernel<T, kDim, kGeneral>, grid, Shape::kThreads,
                            KeysMemory<T, kDim, kGeneral>::kBytes, stream, call);
}

// Queues the gradients of k and v; null or what is wrong. delta must be there.
template <typename T>
const char* KeyGradients(const Call& call, Stream stream) {
  return WithDim(call.head_dim, [&](auto dim) {
    constexpr int kDim = decltype(dim)::value;
    return NeedsGeneral(call) ? LaunchBackwardKeys<T, kDim, true>(call, stream)
                              : LaunchBackwardKeys<T, kDim, false>(call, stream);
  });
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_BACKWARD_KEYS_H_
