// What every implementation asks of its arguments.
#ifndef MMCORE_CORE_ATTENTION_CHECK_H_
#define MMCORE_CORE_ATTENTION_CHECK_H_

#include "core/attention/attention.h"

namespace mmcore::attention {

// Throws InvalidArgument that says which argument is wrong.
MMCORE_API void CheckProblem(const Problem& problem);

// The same for what Forward writes, and for what Backward reads and writes, beyond the problem itself.
void CheckForward(const Problem& problem, const Output& out);
void CheckBackward(const Problem& problem, const Gradients& gradients);

}  // namespace mmcore::attention

#endif  // MMCORE_CORE_ATTENTION_CHECK_H_
