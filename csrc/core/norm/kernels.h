// The loops over elements, one set for each instruction set. Sets differ in the order of sums.
#ifndef MMCORE_CORE_NORM_KERNELS_H_
#define MMCORE_CORE_NORM_KERNELS_H_

#include <cstddef>

#include "core/base/cpu.h"
#include "core/norm/norm.h"

namespace mmcore::norm {

struct Kernels {
  // Rows [begin, end) of y.
  void (*forward)(const Problem& problem, size_t begin, size_t end, void* y);
  // Rows [begin, end) of dx; adds their part of dscale and, unless it is null, of dbias.
  void (*backward)(const Problem& problem, size_t begin, size_t end, const Gradients& gradients);
  float (*sum_of_squares)(const float* x, size_t count);
};

const Kernels& ScalarKernels();
#if MMCORE_X86
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();
#endif

const Kernels& KernelsFor(Isa isa);

}  // namespace mmcore::norm

#endif  // MMCORE_CORE_NORM_KERNELS_H_
