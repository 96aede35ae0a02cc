// Rows brought to a common size, forward and backward:
//
//   y[r, i] = (x[r, i] - mean_r) / sqrt(variance_r + epsilon) scale[i] + bias[i]
//
// with the moments of row r. Where rows are not centred mean_r is 0 and variance_r the mean of squares. Source:
// LayerNorm: Ba et al. 2016, arXiv:1607.06450, equation 4; RMSNorm: Zhang and Sennrich 2019, arXiv:1910.07467,
// equation 4.
#ifndef MMCORE_CORE_NORM_NORM_H_
#define MMCORE_CORE_NORM_NORM_H_

#include <cstddef>

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/base/dtype.h"
#include "core/base/executor.h"

namespace mmcore::norm {

struct Problem {
  Dtype dtype = Dtype::kFloat32;  // Of x, y and their gradients.
  size_t rows = 0, width = 0;     // At least one column; rows lie one behind the other.
  float epsilon = 0.0f;
  bool centred = true;
  const void* x = nullptr;
  const float* scale = nullptr;  // [width]
  const float* bias = nullptr;   // [width]; null: zeros.
};

// Both give the same bits for any number of threads.
MMCORE_API void Forward(const Problem& problem, void* y, Executor& executor, Isa isa = ActiveIsa());

// From dy, of y's shape, to dx; dscale [width] and, unless it is null, dbias [width] sum over the rows. The moments
// are computed again: a row is in the first cache then, and storing them would not save reading it.
struct Gradients {
  const void* dy = nullptr;
  void* dx = nullptr;
  float* dscale = nullptr;
  float* dbias = nullptr;
};
MMCORE_API void Backward(const Problem& problem, const Gradients& gradients, Executor& executor,
                         Isa isa = ActiveIsa());

// The same two in loops that say plainly what is computed, with sums of double: the definition.
MMCORE_API void ReferenceForward(const Problem& problem, void* y);
MMCORE_API void ReferenceBackward(const Problem& problem, const Gradients& gradients);

}  // namespace mmcore::norm

#endif  // MMCORE_CORE_NORM_NORM_H_
