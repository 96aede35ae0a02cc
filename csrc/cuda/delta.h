// delta = out . dout of each query: the sum of its probabilities times their gradients. Bound by the bytes of both,
// which it reads once.
#ifndef MMCORE_CUDA_DELTA_H_
#define MMCORE_CUDA_DELTA_H_

#include "cuda/tile.h"

namespace mmcore::cuda {

constexpr int kDeltaThreads = 128;
constexpr int kDeltaLanes = 8;  // Of a query: 16 bytes each are the 64 numbers of 16 bits of a common head.
constexpr int kDeltaRows = kDeltaThreads / kDeltaLanes;

// Grid: blocks of queries, heads, batch.
template <typename T>
MMCORE_KERNEL(kDeltaThreads)
DeltaKernel(MMCORE_PARAMETER Call call) {
  const int query = BlockX() * kDeltaRows + ThreadIndex() / kDeltaLanes, head = BlockY(), batch = BlockZ();
  const int row = Smaller(query, call.queries - 1);
  const Rows<const T> outs = HeadOf<const T>(call, call.out, batch, head, call.queries);
  const Rows<const T> douts = HeadOf<const T>(call, call.dout, batch, head, call.queries);
  const T* const out = outs.data + row * outs.pitch;
  const T* const dout = douts.data + row * douts.pitch;
  float sum = 0;
  for (int d = ThreadIndex() % kDeltaLanes * kPerChunk<T>; d < call.head_dim; d += kDeltaLanes * kPerChunk<T>) {
    if (call.aligned) {
      const auto a = *reinterpret_cast<const Chunk<T>*>(out + d), b = *reinterpret_cast<const Chunk<T>*>(dout + d);
      MMCORE_UNROLL
      for (int j = 0; j < kPerChunk<T>; ++j) sum += ToFloat(a.values[j]) * ToFloat(b.values[j]);
    } else {
      for (int j = d; j < Smaller(d + kPerChunk<T>, call.head_dim); ++j) sum += ToFloat(out[j]) * ToFloat(dout[j]);
    }
  }
  for (int lanes = 1; lanes < kDeltaLanes; lanes *= 2) sum += ShuffleXor(sum, lanes);
  if (ThreadIndex() % kDeltaLanes == 0 && query < call.queries) {
    call.delta[(static_cast<int64_t>(batch) * call.heads + head) * call.queries + query] = sum;
  }
}

// Queues delta; null or what is wrong.
template <typename T>
const char* Delta(const Call& call, Stream stream) {
  const Grid grid{(call.queries + kDeltaRows - 1) / kDeltaRows, call.heads, call.batch};
  return Launch<const Call>(DeltaKernel<T>, grid, kDeltaThreads, 0, stream, call);
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_DELTA_H_
