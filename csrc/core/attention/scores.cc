#include "core/attention/scores.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace mmcore::attention {
namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

size_t ElementSize(Dtype dtype) { return dtype == Dtype::kFloat32 ? 4 : 2; }

// The part of `keys`, cut to it, that holds every key of a segment in [low, high]; only its ends are looked at, so
// nothing is assumed about the order of segments.
Range TrimSegments(const int32_t* segments, Range keys, int32_t low, int32_t high) {
  const auto outside = [&](size_t s) { return segments[s] < low || segments[s] > high; };
  while (!keys.empty() && outside(keys.begin)) ++keys.begin;
  while (!keys.empty() && outside(keys.end - 1)) --keys.end;
  return keys;
}

template <typename Data>
size_t BytesTo(const Problem& problem, const Strided<Data>& tensor, size_t b, size_t head, size_t row) {
  return (b * tensor.batch + row * tensor.row + head * tensor.head) * ElementSize(problem.dtype);
}

}  // namespace

RowCopy RowsOf(const Problem& problem, const Input& tensor, size_t b, size_t head, Range rows, size_t width) {
  RowCopy copy;
  copy.from = static_cast<const char*>(tensor.data) + BytesTo(problem, tensor, b, head, rows.begin);
  copy.from_row = tensor.row;
  copy.bfloat16 = problem.dtype == Dtype::kBfloat16;
  copy.rows = rows.size();
  copy.size = problem.sizes.head_dim;
  copy.width = width;
  return copy;
}

void* OutputRows(const Problem& problem, const Output& to, size_t b, size_t head, Range rows) {
  return static_cast<char*>(to.data) + BytesTo(problem, to, b, head, rows.begin);
}

void StoreRows(const Problem& problem, const Kernels& kernels, const float* from, const float* factors,
               const Output& to, size_t b, size_t head, Range rows) {
  const size_t width = RoundUp(problem.sizes.head_dim, kernels.lanes);
  const RowCopy shape = RowsOf(problem, {to.data, to.batch, to.row, to.head}, b, head, rows, width);
  kernels.store_rows(from, width, factors, shape, OutputRows(problem, to, b, head, rows));
}

Range VisibleKeys(const Problem& problem, size_t t) {
  const auto keys = static_cast<int64_t>(problem.sizes.keys);
  const int64_t at = keys - static_cast<int64_t>(problem.sizes.queries) + static_cast<int64_t>(t);
  int64_t begin = 0, end = keys;
  if (problem.causal) end = std::min(end, at + 1);
  if (problem.window != 0) {
    const auto window = static_cast<int64_t>(std::min(problem.window, problem.sizes.keys + problem.sizes.queries));
    begin = std::max(begin, at - window + 1);
    end = std::min(end, at + window);
  }
  if (begin >= end) return {0, 0};
  return {static_cast<size_t>(begin), static_cast<size_t>(end)};
}

Range VisibleKeys(const Problem& problem, size_t b, Range queries) {
  // Both ends grow with the query, so the first and the last query that see anything bound the rest.
  Range seen;
  for (size_t t = queries.begin; t < queries.end && seen.empty(); ++t) seen = VisibleKeys(problem, t);
  for (size_t t = queries.end; t > queries.begin; --t) {
    const Range last = VisibleKeys(problem, t - 1);
    if (last.empty()) continue;
    seen.end = last.end;
    break;
  }
  if (problem.query_segments == nullptr) return seen;
  const int32_t* const own = problem.query_segments + b * problem.sizes.queries;
  const auto [low, high] = std::minmax_element(own + queries.begin, own + queries.end);
  return TrimSegments(problem.key_segments + b * problem.sizes.keys, seen, *low, *high);
}

void FinishScores(const Problem& problem, const Kernels& kernels, const Block& block, size_t stride, float* scores,
                  float* capped) {
  const Sizes& sizes = problem.sizes;
  const size_t count = block.keys.size(), first = block.keys.begin;
  const bool ranged = problem.causal || problem.window != 0;
  for (size_t i = 0; i < block.queries.size(); ++i) {
    const size_t t = block.queries.begin + i;
    float* const row = scores + i * stride;
    if (problem.soft_cap > 0.0f) {
      std::fill(row + count, row + stride, 0.0f);
      kernels.cap(row, stride, problem.soft_cap);
      if (capped != nullptr) std::memcpy(capped + i * stride, row, stride * sizeof(float));
    }
    const auto part = [&](const auto& tensor) {
      return tensor.data + block.b * tensor.batch + block.head * tensor.head + t * tensor.query + first;
    };
    if (problem.bias.data != nullptr) kernels.add(row, part(problem.bias), count);
    if (problem.mask.data != nullptr) kernels.hide(row, part(problem.mask), count);
    if (problem.key_segments != nullptr) {
      const int32_t own = problem.query_segments[block.b * sizes.queries + t];
      kernels.hide_segments(row, problem.key_segments + block.b * sizes.keys + first, own, count);
    }
    if (ranged) {
      const Range seen = VisibleKeys(problem, t);
      const size_t begin = std::min(std::max(seen.begin, first) - first, count);
      const size_t end = std::max(begin, std::min(seen.end > first ? seen.end - first : 0, count));
      std::fill(row, row + begin, kHidden);
      std::fill(row + end, row + count, kHidden);
    }
    std::fill(row + count, row + stride, kHidden);
  }
}

void DropRow(const Problem& problem, const Kernels& kernels, const Block& block, size_t row, size_t stride, float* p) {
  const Sizes& sizes = problem.sizes;
  const size_t place = (block.b * sizes.heads + block.head) * sizes.queries + block.queries.begin + row;
  kernels.drop(p, stride, static_cast<uint32_t>(place * sizes.keys + block.keys.begin), problem.seed,
               problem.dropout_rate);
}

}  // namespace mmcore::attention
