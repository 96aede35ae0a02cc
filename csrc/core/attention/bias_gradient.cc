// The gradient of the bias: dS summed over the axes that the bias broadcasts. A unit owns some rows of one plane of
// the bias, or the whole plane where all queries share one row, and goes through all that is added to it in order.
#include <algorithm>

#include "core/attention/gradient_rows.h"

namespace mmcore::attention {
namespace {

constexpr size_t kBlockKeys = 512;

struct Planes {
  size_t batch, heads;  // Planes of the bias, and how many of each are added to one.
  size_t added_batch, added_heads;
};

Planes PlanesOf(const Problem& problem) {
  const Sizes& sizes = problem.sizes;
  const bool shared_batch = problem.bias.batch == 0, shared_heads = problem.bias.head == 0;
  return {shared_batch ? 1 : sizes.batch, shared_heads ? 1 : sizes.heads, shared_batch ? sizes.batch : 1,
          shared_heads ? sizes.heads : 1};
}

void AddRows(const Problem& problem, const Gradients& gradients, const Kernels& kernels, size_t b, size_t head,
             Range queries) {
  const size_t kv_head = head / (problem.sizes.heads / problem.sizes.kv_heads);
  const Broadcast<float>& dbias = gradients.dbias;
  float* const plane = dbias.data + b * dbias.batch + head * dbias.head;
  for (size_t begin = 0; begin < problem.sizes.keys; begin += kBlockKeys) {
    const Range keys{begin, std::min(problem.sizes.keys, begin + kBlockKeys)};
    GradientRows rows(problem, gradients, kernels, b, kv_head, keys);
    for (size_t first = queries.begin; first < queries.end; first += kGradientRows) {
      const Range some{first, std::min(queries.end, first + kGradientRows)};
      if (!rows.Compute(head, some)) continue;
      for (size_t i = 0; i < some.size(); ++i) {
        kernels.add(plane + (first + i) * dbias.query + rows.block().keys.begin,
                    rows.bias_gradients() + i * rows.stride(), rows.block().keys.size());
      }
    }
  }
}

void Clear(const Problem& problem, const Broadcast<float>& dbias, size_t b, size_t head, Range queries) {
  float* const plane = dbias.data + b * dbias.batch + head * dbias.head;
  for (size_t t = queries.begin; t < (dbias.query == 0 ? queries.begin + 1 : queries.end); ++t) {
    std::fill_n(plane + t * dbias.query, problem.sizes.keys, 0.0f);
  }
}

}  // namespace

void BiasGradients(const Problem& problem, const Gradients& gradients, const Kernels& kernels, Executor& executor) {
  const Planes planes = PlanesOf(problem);
  const size_t queries = problem.sizes.queries;
  const size_t rows = problem.bias.query == 0 ? std::max<size_t>(queries, 1) : kGradientRows;
  const size_t units = (queries + rows - 1) / rows;
  executor.ParallelFor(planes.batch * planes.heads * units, [&](size_t item) {
    const size_t plane = item / units, b = plane / planes.heads, head = plane % planes.heads;
    const Range some{item % units * rows, std::min(queries, (item % units + 1) * rows)};
    Clear(problem, gradients.dbias, b, head, some);
    for (size_t i = 0; i < planes.added_batch; ++i) {
      for (size_t j = 0; j < planes.added_heads; ++j) {
        AddRows(problem, gradients, kernels, b + i, head + j, some);
      }
    }
  });
}

}  // namespace mmcore::attention
