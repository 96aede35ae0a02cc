// The arguments of norms as they come through TensorFlow, shared by the ops and by XLA's custom calls.
// mmcore/ops/norm/ writes the texts.
#ifndef MMCORE_TF_NORM_PROBLEM_H_
#define MMCORE_TF_NORM_PROBLEM_H_

#include "core/norm/norm.h"
#include "tf/integers.h"

namespace mmcore::tf {

// A problem with the options: epsilon, centred.
inline norm::Problem ReadNormOptions(Integers& integers) {
  norm::Problem problem;
  problem.epsilon = integers.Float();
  problem.centred = integers.Flag();
  return problem;
}

}  // namespace mmcore::tf

#endif  // MMCORE_TF_NORM_PROBLEM_H_
