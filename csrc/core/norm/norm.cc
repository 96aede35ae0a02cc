#include "core/norm/norm.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/norm/kernels.h"

namespace mmcore::norm {
namespace {

void Check(const Problem& problem) {
  if (problem.width == 0) throw InvalidArgument("rows to normalize need at least one column, got none");
  if (!(problem.epsilon >= 0.0f)) {
    throw InvalidArgument("epsilon must be at least 0, got " + std::to_string(problem.epsilon));
  }
}

// Rows that are computed together, whatever the number of threads: enough work for waking a thread to pay, and enough
// rows for the sums of a block, which are as wide as a row, to take little memory.
struct Blocks {
  explicit Blocks(const Problem& problem)
      : rows(problem.rows), block(std::max(size_t{32}, 32768 / problem.width)), count((rows + block - 1) / block) {}
  size_t begin(size_t i) const { return i * block; }
  size_t end(size_t i) const { return std::min(rows, begin(i) + block); }
  size_t rows, block, count;
};

}  // namespace

void Forward(const Problem& problem, void* y, Executor& executor, Isa isa) {
  Check(problem);
  const Kernels& kernels = KernelsFor(isa);
  const Blocks blocks(problem);
  executor.ParallelFor(blocks.count,
                       [&](size_t i) { kernels.forward(problem, blocks.begin(i), blocks.end(i), y); });
}

void Backward(const Problem& problem, const Gradients& gradients, Executor& executor, Isa isa) {
  Check(problem);
  const Kernels& kernels = KernelsFor(isa);
  const Blocks blocks(problem);
  const size_t width = problem.width, sums = gradients.dbias == nullptr ? 1 : 2;
  // Of each block: its part of dscale, and of dbias where it is wanted.
  std::vector<float> parts(blocks.count * sums * width);
  executor.ParallelFor(blocks.count, [&](size_t i) {
    Gradients own = gradients;
    own.dscale = parts.data() + i * sums * width;
    own.dbias = sums == 2 ? own.dscale + width : nullptr;
    kernels.backward(problem, blocks.begin(i), blocks.end(i), own);
  });
  for (size_t sum = 0; sum < sums; ++sum) {
    float* const total = sum == 0 ? gradients.dscale : gradients.dbias;
    std::fill_n(total, width, 0.0f);
    for (size_t i = 0; i < blocks.count; ++i) {
      const float* const part = parts.data() + (i * sums + sum) * width;
      for (size_t j = 0; j < width; ++j) total[j] += part[j];
    }
  }
}

}  // namespace mmcore::norm
