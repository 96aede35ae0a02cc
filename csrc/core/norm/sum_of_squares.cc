#include "core/norm/sum_of_squares.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/norm/kernels.h"

namespace mmcore::norm {
namespace {

constexpr size_t kBlock = size_t{1} << 15;  // Elements that are summed in float32.
constexpr size_t kBlocksATask = 8;          // Waking a thread for less would not pay.

}  // namespace

float SumOfSquares(Span<const Span<const float>> arrays, Executor& executor, Isa isa) {
  const Kernels& kernels = KernelsFor(isa);
  std::vector<Span<const float>> blocks;
  for (const Span<const float> array : arrays) {
    for (size_t i = 0; i < array.size(); i += kBlock) {
      blocks.push_back(array.subspan(i, std::min(kBlock, array.size() - i)));
    }
  }
  std::vector<float> sums(blocks.size());
  executor.ParallelFor((blocks.size() + kBlocksATask - 1) / kBlocksATask, [&](size_t task) {
    const size_t end = std::min(blocks.size(), (task + 1) * kBlocksATask);
    for (size_t i = task * kBlocksATask; i < end; ++i) {
      sums[i] = kernels.sum_of_squares(blocks[i].data(), blocks[i].size());
    }
  });
  double sum = 0;
  for (const float part : sums) sum += part;
  return static_cast<float>(sum);
}

}  // namespace mmcore::norm
