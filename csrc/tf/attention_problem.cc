#include "tf/attention_problem.h"

#include <cstring>
#include <limits>
#include <string>

#include "core/base/errors.h"

namespace mmcore::tf {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

Axes ReadAxes(Integers& integers) {
  Axes axes;
  axes.there = integers.Flag();
  axes.batch = integers.Flag();
  axes.head = integers.Flag();
  axes.query = integers.Flag();
  return axes;
}

}  // namespace

attention::Problem ReadOptions(Integers& integers) {
  attention::Problem problem;
  problem.causal = integers.Flag();
  problem.window = static_cast<size_t>(integers.Next(0, kMost));
  problem.scale = integers.Float();
  problem.soft_cap = integers.Float();
  problem.dropout_rate = integers.Float();
  return problem;
}

AttentionLayout ReadLayout(Integers& integers) {
  AttentionLayout layout;
  layout.dtype = integers.Flag() ? attention::Dtype::kBfloat16 : attention::Dtype::kFloat32;
  attention::Sizes& sizes = layout.sizes;
  for (size_t* size : {&sizes.batch, &sizes.queries, &sizes.keys, &sizes.heads, &sizes.kv_heads, &sizes.head_dim}) {
    *size = static_cast<size_t>(integers.Next(0, kMost));
  }
  layout.mask = ReadAxes(integers);
  layout.bias = ReadAxes(integers);
  layout.segments = integers.Flag();
  layout.seed = integers.Flag();
  return layout;
}

void SetInputs(const AttentionLayout& layout, const void* const* inputs, attention::Problem& problem) {
  const attention::Sizes& sizes = problem.sizes = layout.sizes;
  problem.dtype = layout.dtype;
  problem.q = LikeQueries(sizes, *inputs++);
  problem.k = LikeKeys(sizes, *inputs++);
  problem.v = LikeKeys(sizes, *inputs++);
  if (layout.mask.there) problem.mask = WithAxes(sizes, layout.mask, static_cast<const bool*>(*inputs++));
  if (layout.bias.there) problem.bias = WithAxes(sizes, layout.bias, static_cast<const float*>(*inputs++));
  if (layout.segments) {
    problem.query_segments = static_cast<const int32_t*>(*inputs++);
    problem.key_segments = static_cast<const int32_t*>(*inputs++);
  }
  if (layout.seed) std::memcpy(problem.seed, *inputs++, sizeof(problem.seed));
  if (problem.dropout_rate > 0 && !layout.seed) throw InvalidArgument("dropout_rate above 0 needs a seed");
}

}  // namespace mmcore::tf
