#include "core/base/cpu.h"

#include <cstdlib>
#include <string>

#include "core/base/errors.h"

namespace mmcore {

Isa DetectedIsa() {
#if MMCORE_X86
  static const Isa isa = [] {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return avx512 ? Isa::kAvx512 : avx2 ? Isa::kAvx2 : Isa::kScalar;
  }();
  return isa;
#else
  return Isa::kScalar;
#endif
}

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kAvx512: return "avx512";
    case Isa::kAvx2: return "avx2";
    case Isa::kScalar: break;
  }
  return "scalar";
}

Isa ParseIsa(std::string_view name) {
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (name != IsaName(isa)) continue;
    if (isa > DetectedIsa()) {
      throw InvalidArgument("MMCORE_ISA is " + std::string(name) + ", but this CPU has " + IsaName(DetectedIsa()) +
                            " at most; unset it or choose a set that is there");
    }
    return isa;
  }
  throw InvalidArgument("MMCORE_ISA must be scalar, avx2 or avx512, got '" + std::string(name) + "'");
}

Isa ActiveIsa() {
  static const Isa isa = [] {
    const char* forced = std::getenv("MMCORE_ISA");
    return forced == nullptr || *forced == '\0' ? DetectedIsa() : ParseIsa(forced);
  }();
  return isa;
}

}  // namespace mmcore
