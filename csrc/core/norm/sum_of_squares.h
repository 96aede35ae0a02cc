// The sum of squares over several arrays: the square of their common norm.
#ifndef MMCORE_CORE_NORM_SUM_OF_SQUARES_H_
#define MMCORE_CORE_NORM_SUM_OF_SQUARES_H_

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/base/executor.h"
#include "core/base/span.h"

namespace mmcore::norm {

// Squares are float32 and so are sums of up to 2^15 of them; the sum of these is double. The same bits for any number
// of threads. NaN where there is one.
MMCORE_API float SumOfSquares(Span<const Span<const float>> arrays, Executor& executor, Isa isa = ActiveIsa());

}  // namespace mmcore::norm

#endif  // MMCORE_CORE_NORM_SUM_OF_SQUARES_H_
