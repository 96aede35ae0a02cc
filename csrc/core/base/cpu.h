// Which instruction set the hot loops use: chosen once, at run time, never by build flags.
#ifndef MMCORE_CORE_BASE_CPU_H_
#define MMCORE_CORE_BASE_CPU_H_

#include <string_view>

#include "core/base/api.h"

// x86-64 kernels are compiled only where the compiler can target single functions.
#if defined(__x86_64__) && defined(__GNUC__)
#define MMCORE_X86 1
#define MMCORE_TARGET_AVX2 __attribute__((target("avx2,fma,bmi,bmi2")))
#define MMCORE_TARGET_AVX512 __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq")))
#else
#define MMCORE_X86 0
#endif

namespace mmcore {

// Ordered: a CPU that has one has all before it. kScalar is always built and is the definition.
enum class Isa { kScalar = 0, kAvx2 = 1, kAvx512 = 2 };

// The best set of this CPU and operating system.
MMCORE_API Isa DetectedIsa();

// The set in use: MMCORE_ISA (scalar, avx2, avx512) where that is set, else DetectedIsa().
// Throws InvalidArgument when MMCORE_ISA names an unknown set, or one that this CPU lacks.
MMCORE_API Isa ActiveIsa();

// The set called `name`. Throws InvalidArgument where it is unknown or this CPU lacks it.
MMCORE_API Isa ParseIsa(std::string_view name);
MMCORE_API const char* IsaName(Isa isa);

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_CPU_H_
