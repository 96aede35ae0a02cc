// The arguments of attention as they come through TensorFlow: a text of integers, and buffers in a fixed order. The
// op and XLA's custom call share them, so that both compute the same (mmcore/ops/attention/options.py writes the text).
#ifndef MMCORE_TF_ATTENTION_PROBLEM_H_
#define MMCORE_TF_ATTENTION_PROBLEM_H_

#include <cstddef>
#include <cstdint>

#include "core/attention/attention.h"
#include "tf/integers.h"

namespace mmcore::tf {

// Which axes of [batch, heads, queries, keys] a mask or a bias has; keys always, the others are broadcast.
struct Axes {
  bool there = false, batch = false, head = false, query = false;
};

struct AttentionLayout {
  attention::Dtype dtype = attention::Dtype::kFloat32;
  attention::Sizes sizes;
  Axes mask, bias;
  bool segments = false, seed = false;

  // Of the buffers that Problem takes.
  size_t num_inputs() const {
    return 3 + size_t{mask.there} + size_t{bias.there} + 2 * size_t{segments} + size_t{seed};
  }
};

// A problem with the options: causal, window, scale, soft_cap, dropout_rate.
attention::Problem ReadOptions(Integers& integers);

// dtype (0: float32, 1: bfloat16), six sizes, four flags each of mask and bias, segments, seed.
AttentionLayout ReadLayout(Integers& integers);

// Puts sizes and buffers in a problem: q, k, v, mask, bias, segments of queries and of keys, seed, each that is there.
// All are contiguous.
void SetInputs(const AttentionLayout& layout, const void* const* inputs, attention::Problem& problem);

// [batch, rows, heads, head_dim], contiguous, as q is, and as k and v are.
template <typename Data>
attention::Strided<Data> LikeQueries(const attention::Sizes& sizes, Data* data) {
  return {data, sizes.queries * sizes.heads * sizes.head_dim, sizes.heads * sizes.head_dim, sizes.head_dim};
}
template <typename Data>
attention::Strided<Data> LikeKeys(const attention::Sizes& sizes, Data* data) {
  return {data, sizes.keys * sizes.kv_heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim, sizes.head_dim};
}
// Contiguous with these axes, as masks, biases and their gradients are.
template <typename T>
attention::Broadcast<T> WithAxes(const attention::Sizes& sizes, const Axes& axes, T* data) {
  const size_t query = sizes.keys, head = query * (axes.query ? sizes.queries : 1);
  const size_t batch = head * (axes.head ? sizes.heads : 1);
  return {data, axes.batch ? batch : 0, axes.head ? head : 0, axes.query ? query : 0};
}

}  // namespace mmcore::tf

#endif  // MMCORE_TF_ATTENTION_PROBLEM_H_
