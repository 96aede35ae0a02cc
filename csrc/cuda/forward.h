// The forward pass: a block has kRows queries of one head and passes once over the keys that they may see.
//
// 4 head_dim operations a pair of query and key in two products, one exponential. Read: Q once, K and V once for each
// block of queries (mostly from L2, where the blocks of a head meet), written: out and lse. With more than some 150
// keys that is bound by the tensor cores (16-bit: 4 head_dim operations against one exponential, of which an SM makes
// 16 a clock: 16 x 4 x 64 = 4096 operations a clock for head_dim 64, as many as an H100's tensor cores make, twice an
// A100's), with fewer by the bytes of q, k, v and out and by tiles that are not full.
#ifndef MMCORE_CUDA_FORWARD_H_
#define MMCORE_CUDA_FORWARD_H_

#include "cuda/narrow.h"
#include "cuda/scorer.h"
#include "cuda/shapes.h"
#include "cuda/softmax.h"

namespace mmcore::cuda {

// Shared memory: queries; keys and values, twice; scratch; room for Narrow.
template <typename T, int kDim>
struct ForwardMemory {
  using Shape = ForwardShape<T, kDim>;
  static constexpr int kTile = kTileBytes<T, kDim>(Shape::kColumns);
  static constexpr int kKeys = kTileBytes<T, kDim>(Shape::kRows), kValues = kKeys + 2 * kTile;
  static constexpr int kScratch = kValues + 2 * kTile, kNarrow = kScratch + kScratchBytes<T, Shape>;
  static constexpr int kBytes = kNarrow + 2 * 4 * Shape::kWarps;
  static_assert(kBytes <= kMostShared);
};

// Divides by the sums of exponentials and writes out and lse.
template <typename T, int kDim, bool kGeneral, int kRowTiles>
MMCORE_DEVICE void Finish(const Call& call, const Softmax<kRowTiles, kExact<T>>& softmax, T* tile,
                          float (&sums)[kRowTiles][kDim / kTileColumns][4], int batch, int head, int first) {
  const float keep = kGeneral ? call.keep : 1.0f;
  const int64_t start = (static_cast<int64_t>(batch) * call.heads + head) * call.queries;
  MMCORE_UNROLL
  for (int m = 0; m < kRowTiles; ++m) {
    MMCORE_UNROLL
    for (int half = 0; half < 2; ++half) {
      const float sum = softmax.Sum(m, half), factor = sum == 0 ? 0.0f : keep / sum;
      MMCORE_UNROLL
      for (int n = 0; n < kDim / kTileColumns; ++n) sums[m][n][2 * half] *= factor, sums[m][n][2 * half + 1] *= factor;
      const Place place = AccumulatorPlace(Lane(), 2 * half);
      const int query = first + m * kTileRows + place.row;
      if (call.lse != nullptr && place.column == 0 && query < call.queries) {
        call.lse[start + query] = softmax.LogSum(m, half, sum);
      }
    }
  }
  StoreRows<T, kDim, kRowTiles>(tile, sums, HeadOf<T>(call, call.out, batch, head, call.queries), first);
}

// Grid: blocks of queries, heads, batch. Where attention is causal the last queries have most to do and begin first.
template <typename T, int kDim, bool kGeneral>
MMCORE_KERNEL((ForwardShape<T, kDim>::kThreads))
ForwardKernel(MMCORE_PARAMETER Call call) {
  using Shape = ForwardShape<T, kDim>;
  using Memory = ForwardMemory<T, kDim>;
  constexpr int kThreads = Shape::kThreads, kKeys = Shape::kColumns, kRowTiles = Shape::kRowTiles;
  std::byte* shared = SharedMemory();
  T* const query_tile = reinterpret_cast<T*>(shared);
  const auto key_tile = [&](int stage) { return reinterpret_cast<T*>(shared + Memory::kKeys + stage * Memory::kTile); };
  const auto value_tile = [&](int stage) {
    return reinterpret_cast<T*>(shared + Memory::kValues + stage * Memory::kTile);
  };

  const int blocks = (call.queries + Shape::kRows - 1) / Shape::kRows;
  const int first = (blocks - 1 - BlockX()) * Shape::kRows, head = BlockY(), batch = BlockZ();
  const int kv_head = head / (call.heads / call.kv_heads);
  const Range queries{first, Smaller(first + Shape::kRows, call.queries)};
  const Rows<const T> query_rows = HeadOf<const T>(call, call.q, batch, head, call.queries);
  LoadTile<T, kDim, Shape::kRows, kThreads>(query_tile, query_rows, first);
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
  Softmax<kRowTiles, kExact<T>> softmax(scorer.Scale());
  T* const my_queries = query_tile + RowOfWarp<Shape>() * kPitch<T, kDim>;
  float* const scratch = ScratchOfWarp<Shape>(shared + Memory::kScratch);
  const int my_first = first + RowOfWarp<Shape>();
  float sums[kRowTiles][kDim / kTileColumns][4] = {};
  int stage = 0;
  for (int begin = keys.begin; begin < keys.end; begin += kKeys, stage ^= 1) {
    WaitForCopies();
    SyncBlock();  // All have their copies of this stage, and none reads the other one any more.
    if (begin + kKeys < keys.end) load(begin + kKeys, stage ^ 1);
    float scores[kRowTiles][Shape::kColumnTiles][4] = {};
    Product<T, kDim>::AddDots(scores, my_queries, key_tile(stage));
    const bool whole = !kGeneral && AllPlacesMeet(call, queries, {begin, begin + kKeys});
    if (!whole) {
      ForEach<kRowTiles, Shape::kColumnTiles>([&](int m, int n, int i, int row, int column) {
        scores[m][n][i] = scorer.Score(scores[m][n][i], my_first + row, begin + column, whole);
      });
    }
    softmax.Update(scores, sums);
    if (scorer.Drops()) {
      ForEach<kRowTiles, Shape::kColumnTiles>([&](int m, int n, int i, int row, int column) {
        if (scorer.Keep(my_first + row, begin + column) == 0) scores[m][n][i] = 0;
      });
    }
    Product<T, kDim>::AddWeighted(sums, scores, value_tile(stage), scratch);
  }
  WaitForCopies();  // Of the queries, where there were no keys.
  SyncBlock();
  Finish<T, kDim, kGeneral>(call, softmax, my_queries, sums, batch, head, my_first);
}

template <typename T, int kDim, bool kGeneral>
const char* LaunchForward(const Call& call, Stream stream) {
  using Shape = ForwardShape<T, kDim>;
  const Grid grid{(call.queries + Shape::kRows - 1) / Shape::kRows, call.heads, call.batch};
  return Launch<const Call>(ForwardKernel<T, kDim, kGeneral>, grid, Shape::kThreads, ForwardMemory<T, kDim>::kBytes,
                            stream, call);
}

// Queues the forward pass; null or what is wrong.
template <typename T>
const char* Forward(const Call& call, Stream stream) {
  return WithDim(call.head_dim, [&](auto dim) {
    constexpr int kDim = decltype(dim)::value;
    return NeedsGeneral(call) ? LaunchForward<T, kDim, true>(call, stream)
                              : LaunchForward<T, kDim, false>(call, stream);
  });
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_FORWARD_H_
