#include "core/attention/gradient_rows.h"

#include <algorithm>
#include <limits>

namespace mmcore::attention {

struct GradientRows::Scratch {
  Buffer<float> keys_transposed, values_transposed, keys;
  Buffer<float> queries, outputs, output_gradients;
  Buffer<float> p, dropped, gradients, capped, raw;
};

GradientRows::Scratch& GradientRows::OwnScratch() {
  thread_local Scratch scratch;
  return scratch;
}

GradientRows::GradientRows(const Problem& problem, const Gradients& gradients, const Kernels& kernels, size_t b,
                           size_t kv_head, Range keys)
    : problem_(problem),
      gradients_(gradients),
      kernels_(kernels),
      scratch_(OwnScratch()),
      keys_(keys),
      b_(b),
      width_(RoundUp(problem.sizes.head_dim, kernels.lanes)),
      all_keys_(keys.size() == problem.sizes.keys) {
  const size_t panels = RoundUp(keys.size(), kernels.panel) * problem.sizes.head_dim;
  scratch_.keys_transposed.Reserve(panels);
  scratch_.values_transposed.Reserve(panels);
  scratch_.keys.Reserve(keys.size() * width_);
  const RowCopy copy = RowsOf(problem, problem.k, b, kv_head, keys, width_);
  kernels.copy_transposed(copy, scratch_.keys_transposed.data());
  kernels.copy_rows(copy, scratch_.keys.data());
  kernels.copy_transposed(RowsOf(problem, problem.v, b, kv_head, keys, width_), scratch_.values_transposed.data());
}

const float* GradientRows::queries() const { return scratch_.queries.data(); }
const float* GradientRows::output_gradients() const { return scratch_.output_gradients.data(); }
const float* GradientRows::dropped() const {
  return problem_.dropout_rate > 0.0f ? scratch_.dropped.data() : scratch_.p.data();
}
const float* GradientRows::score_gradients() const {
  return problem_.soft_cap > 0.0f ? scratch_.raw.data() : scratch_.gradients.data();
}
const float* GradientRows::bias_gradients() const { return scratch_.gradients.data(); }

void GradientRows::Load(size_t head, Range queries) {
  const auto load = [&](const Input& tensor, float scale, Buffer<float>& to) {
    to.Reserve(queries.size() * width_);
    RowCopy copy = RowsOf(problem_, tensor, b_, head, queries, width_);
    copy.scale = scale;
    kernels_.copy_rows(copy, to.data());
  };
  load(problem_.q, problem_.scale, scratch_.queries);
  if (!all_keys_) load(gradients_.out, 1.0f, scratch_.outputs);
  load(gradients_.dout, 1.0f, scratch_.output_gradients);
}

void GradientRows::Multiply(const float* a, const float* transposed, float* c) const {
  Product product;
  product.a = a;
  product.a_row = width_;
  product.a_depth = 1;
  product.b = transposed + skipped_ * problem_.sizes.head_dim;
  product.b_panel = kernels_.panel * problem_.sizes.head_dim;
  product.b_depth = kernels_.panel;
  product.c = c;
  product.c_row = stride_;
  product.columns = stride_;
  product.rows = block_.queries.size();
  product.depth = problem_.sizes.head_dim;
  kernels_.product(product);
}

bool GradientRows::Compute(size_t head, Range queries) {
  Range seen = VisibleKeys(problem_, b_, queries);
  seen = {std::max(seen.begin, keys_.begin), std::min(seen.end, keys_.end)};
  if (seen.empty()) return false;
  skipped_ = (seen.begin - keys_.begin) / kernels_.panel * kernels_.panel;
  block_ = {b_, head, queries, {keys_.begin + skipped_, seen.end}};
  stride_ = RoundUp(block_.keys.size(), kernels_.lanes);
  Load(head, queries);
  const size_t size = queries.size() * stride_;
  const bool capped = problem_.soft_cap > 0.0f;
  scratch_.p.Reserve(size);
  scratch_.gradients.Reserve(size);
  if (capped) scratch_.capped.Reserve(size), scratch_.raw.Reserve(size);
  if (problem_.dropout_rate > 0.0f) scratch_.dropped.Reserve(size);
  Multiply(scratch_.queries.data(), scratch_.keys_transposed.data(), scratch_.p.data());
  Multiply(scratch_.output_gradients.data(), scratch_.values_transposed.data(), scratch_.gradients.data());
  FinishScores(problem_, kernels_, block_, stride_, scratch_.p.data(), capped ? scratch_.capped.data() : nullptr);
  const float* const lse = gradients_.lse + (b_ * problem_.sizes.heads + head) * problem_.sizes.queries + queries.begin;
  for (size_t row = 0; row < queries.size(); ++row) RunRow(row, lse[row]);
  return true;
}

// D, the mean of dP under P. Where all keys are here it is taken of them: then errors of dP cancel in dP - D, and a
// query that sees one key gets a gradient of 0. Else it is dO O, which knows of all keys.
float GradientRows::Mean(size_t row, const float* p, const float* gradient) const {
  if (all_keys_) return kernels_.dot(p, gradient, stride_);
  const size_t at = row * width_;
  return kernels_.dot(scratch_.outputs.data() + at, scratch_.output_gradients.data() + at, width_);
}

void GradientRows::RunRow(size_t row, float lse) {
  float* const p = scratch_.p.data() + row * stride_;
  float* const gradient = scratch_.gradients.data() + row * stride_;
  std::fill(gradient + block_.keys.size(), gradient + stride_, 0.0f);
  if (lse == std::numeric_limits<float>::infinity()) {  // No key is seen, whatever hides them.
    std::fill(p, p + stride_, 0.0f);
  } else {
    const float sum = kernels_.exp_minus(p, stride_, lse);
    // lse is rounded, which all of a row would carry.
    if (all_keys_) kernels_.multiply(p, stride_, 1.0f / sum);
  }
  if (problem_.dropout_rate > 0.0f) {
    float* const dropped = scratch_.dropped.data() + row * stride_;
    std::copy(p, p + stride_, dropped);
    DropRow(problem_, kernels_, block_, row, stride_, dropped);
    DropRow(problem_, kernels_, block_, row, stride_, gradient);
  }
  kernels_.softmax_gradient(p, gradient, Mean(row, p, gradient), gradient, stride_);
  if (problem_.soft_cap > 0.0f) {
    float* const raw = scratch_.raw.data() + row * stride_;
    std::copy(gradient, gradient + stride_, raw);
    kernels_.cap_gradient(raw, scratch_.capped.data() + row * stride_, stride_, problem_.soft_cap);
  }
}

const float* GradientRows::QueryGradients() const {
  Product product;
  product.a = score_gradients();
  product.a_row = stride_;
  product.a_depth = 1;
  product.b = scratch_.keys.data() + skipped_ * width_;
  product.b_panel = kernels_.panel;
  product.b_depth = product.columns = width_;
  scratch_.outputs.Reserve(block_.queries.size() * width_);
  product.c = scratch_.outputs.data();  // No longer needed.
  product.c_row = width_;
  product.rows = block_.queries.size();
  product.depth = block_.keys.size();
  kernels_.product(product);
  return product.c;
}

}  // namespace mmcore::attention
