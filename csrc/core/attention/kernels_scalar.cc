// The set for any processor: vectors of four floats as the compiler makes them, without fused multiply-add.
#include "core/attention/kernels.h"

#include "core/attention/attention.h"
#include "core/attention/dropout.h"
#include "core/base/bfloat16.h"

#define MMCORE_LOOP

namespace mmcore::attention {
namespace {

typedef float Vec __attribute__((vector_size(16), may_alias));
typedef int32_t Ints __attribute__((vector_size(16), may_alias));

constexpr size_t kLanes = 4;
constexpr size_t kTileRows = 6, kTileVectors = 2;

inline Vec Set(float x) { return Vec{x, x, x, x}; }
inline Vec Load(const float* p) {
  Vec x;
  __builtin_memcpy(&x, p, sizeof(x));
  return x;
}
inline void Store(float* p, Vec x) { __builtin_memcpy(p, &x, sizeof(x)); }
inline Vec Fma(Vec a, Vec b, Vec c) { return a * b + c; }
inline Vec Max(Vec a, Vec b) {
  Vec larger;
  for (size_t i = 0; i < kLanes; ++i) larger[i] = a[i] > b[i] ? a[i] : b[i];
  return larger;
}
// ln 2 in two parts, the first so short that its products with small integers are exact.
inline Vec MinusLogs(Vec x, Vec n) { return x - n * Set(0.693359375f) + n * Set(2.12194440e-4f); }
inline Vec TimesPower(Vec x, Ints n, Vec at, float least) {
  return reinterpret_cast<Vec>(~(at < Set(least)) & (reinterpret_cast<Ints>(x) + n));
}
inline float Largest(Vec x) {
  const float a = x[0] > x[1] ? x[0] : x[1], b = x[2] > x[3] ? x[2] : x[3];
  return a > b ? a : b;
}
inline float Sum(Vec x) { return (x[0] + x[1]) + (x[2] + x[3]); }
inline void Transpose(const float* from, size_t from_row, float* to, size_t to_row) {
  for (size_t i = 0; i < kLanes; ++i) {
    for (size_t j = 0; j < kLanes; ++j) to[j * to_row + i] = from[i * from_row + j];
  }
}

#include "core/attention/loops.inc"

}  // namespace

const Kernels& ScalarKernels() { return kKernels; }

const Kernels& KernelsFor(Isa isa) {
#if MMCORE_X86
  if (isa == Isa::kAvx512) return Avx512Kernels();
  if (isa == Isa::kAvx2) return Avx2Kernels();
#endif
  static_cast<void>(isa);
  return ScalarKernels();
}

const Kernels& KernelsForBfloat16(Isa isa) {
#if MMCORE_X86
  if (isa == Isa::kAvx512 && HasAmx()) return AmxKernels();
  if (isa == Isa::kAvx512 && HasAvx512Bf16() && __builtin_cpu_is("amd")) return Avx512Bf16Kernels();
#endif
  return KernelsFor(isa);
}

const char* Bfloat16Products(Isa isa) {
  const Kernels& kernels = KernelsForBfloat16(isa);
#if MMCORE_X86
  if (kernels.pairs != nullptr && HasAmx()) return "AMX";
#endif
  return kernels.pairs != nullptr ? "pairs" : "float32";
}

}  // namespace mmcore::attention
