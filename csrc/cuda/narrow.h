// Leaves out what masks and segment ids hide at the ends of a range: so packed sequences cost their own lengths alone,
// and padding at the end costs nothing. A block reads the ids of the range once, 4 bytes a key where K and V have
// 4 head_dim or more, and skips tiles.
#ifndef MMCORE_CUDA_NARROW_H_
#define MMCORE_CUDA_NARROW_H_

#include "cuda/call.h"

namespace mmcore::cuda {

constexpr int kNothing = 0x7FFFFFFF;

// The smallest value and the complement (~) of the largest one, so that both are found as minima.
struct Extent {
  int smallest = kNothing, largest = kNothing;

  MMCORE_DEVICE void Add(int value) {
    smallest = Smaller(smallest, value);
    largest = Smaller(largest, ~value);
  }
  MMCORE_DEVICE bool Holds(int value) const { return value >= smallest && ~value >= largest; }
};

// Of all threads of the block. `shared` has room for two numbers a warp.
template <int kThreads>
MMCORE_DEVICE Extent OfBlock(Extent extent, int* shared) {
  for (int lanes = kLanes / 2; lanes > 0; lanes /= 2) {
    extent.smallest = Smaller(extent.smallest, ShuffleXor(extent.smallest, lanes));
    extent.largest = Smaller(extent.largest, ShuffleXor(extent.largest, lanes));
  }
  SyncBlock();  // What was in `shared` has been read.
  if (Lane() == 0) shared[2 * Warp()] = extent.smallest, shared[2 * Warp() + 1] = extent.largest;
  SyncBlock();
  for (int warp = 0; warp < kThreads / kLanes; ++warp) {
    extent.smallest = Smaller(extent.smallest, shared[2 * warp]);
    extent.largest = Smaller(extent.largest, shared[2 * warp + 1]);
  }
  return extent;
}

// The part of `range` from the first to the last place that `counts` (a function of the place).
template <int kThreads, typename Function>
MMCORE_DEVICE Range Narrow(Range range, int* shared, const Function& counts) {
  Extent places;
  for (int i = range.begin + ThreadIndex(); i < range.end; i += kThreads) {
    if (counts(i)) places.Add(i);
  }
  places = OfBlock<kThreads>(places, shared);
  return places.smallest == kNothing ? Range{0, 0} : Range{places.smallest, ~places.largest + 1};
}

template <int kThreads>
MMCORE_DEVICE Extent ExtentOf(const int32_t* segments, Range range, int* shared) {
  Extent extent;
  for (int i = range.begin + ThreadIndex(); i < range.end; i += kThreads) extent.Add(segments[i]);
  return OfBlock<kThreads>(extent, shared);
}

// The keys that these queries of a head may see.
template <int kThreads>
MMCORE_DEVICE Range NarrowKeys(const Call& call, int batch, int head, Range queries, Range keys, int* shared) {
  if (call.mask.data != nullptr && call.mask.query == 0) {
    const uint8_t* mask = static_cast<const uint8_t*>(call.mask.data) + batch * call.mask.batch + head * call.mask.head;
    keys = Narrow<kThreads>(keys, shared, [&](int key) { return mask[key] != 0; });
  }
  if (call.query_segments != nullptr) {
    const int32_t* of_keys = call.key_segments + static_cast<int64_t>(batch) * call.keys;
    const int32_t* of_queries = call.query_segments + static_cast<int64_t>(batch) * call.queries;
    const Extent segments = ExtentOf<kThreads>(of_queries, queries, shared);
    keys = Narrow<kThreads>(keys, shared, [&](int key) { return segments.Holds(of_keys[key]); });
  }
  return keys;
}

// The queries of any head that may see these keys.
template <int kThreads>
MMCORE_DEVICE Range NarrowQueries(const Call& call, int batch, Range keys, Range queries, int* shared) {
  if (call.query_segments == nullptr) return queries;
  const int32_t* of_queries = call.query_segments + static_cast<int64_t>(batch) * call.queries;
  const int32_t* of_keys = call.key_segments + static_cast<int64_t>(batch) * call.keys;
  const Extent segments = ExtentOf<kThreads>(of_keys, keys, shared);
  return Narrow<kThreads>(queries, shared, [&](int query) { return segments.Holds(of_queries[query]); });
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_NARROW_H_
