// The loops that attention spends its time in, one set for each instruction set. Sets differ in the order of sums, so
// their results agree to rounding only; each is the same for any number of threads.
#ifndef MMCORE_CORE_ATTENTION_KERNELS_H_
#define MMCORE_CORE_ATTENTION_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"

namespace mmcore::attention {

// c[i, j] = factors[i] sum_d a[i, d] b[d, j], or with c added to the sum where `add` is set. b lies in panels of
// Kernels::panel columns, the last of them as wide as what is left.
struct Product {
  const float* a = nullptr;
  size_t a_row = 0, a_depth = 0;  // Element (i, d) is a[i * a_row + d * a_depth].
  const float* b = nullptr;
  size_t b_panel = 0, b_depth = 0;  // Row d of panel p begins at b[p * b_panel + d * b_depth].
  float* c = nullptr;
  size_t c_row = 0;
  const float* factors = nullptr;  // Null: all are 1.
  size_t rows = 0;
  size_t columns = 0;  // A multiple of Kernels::lanes.
  size_t depth = 0;
  bool add = false;
};

// Rows of float32 or bfloat16 to float32, `width` of them written of which `size` are there and the rest 0.
struct RowCopy {
  const void* from = nullptr;
  size_t from_row = 0;  // In elements.
  bool bfloat16 = false;
  bool as_pairs = false;  // Bits of pairs of bfloat16, not numbers; size counts pairs, from_row bfloat16.
  size_t rows = 0, size = 0, width = 0;
  float scale = 1.0f;
};

// Products of bfloat16, where "a float" of an operand is a pair of neighbours along the depth.
struct PairKernels {
  void (*product)(const Product& product);  // Without factors.
  // A row of floats to a row of pairs, in its first half.
  void (*round)(float* row, size_t count);  // A multiple of lanes.
  // Rows 2 i and 2 i + 1 to row i: pairs of their elements; where there is no row 2 i + 1, pairs with 0.
  void (*copy_row_pairs)(const RowCopy& copy, float* to);
};

struct Kernels {
  size_t lanes;  // Of one vector.
  size_t panel;  // Columns of b that a product takes at once.
  size_t rows;   // Rows of a that it takes at once; the last may be fewer.

  void (*product)(const Product& product);

  // Contiguous rows of `width`.
  void (*copy_rows)(const RowCopy& copy, float* to);
  // The transpose, in panels: row d of panel p begins at to[(p * size + d) * panel]. The last panel is 0 from the last
  // row to a multiple of lanes, and not written beyond.
  void (*copy_transposed)(const RowCopy& copy, float* to);
  // Rows of `width` floats, times factors[row], to `size` elements each.
  void (*store_rows)(const float* from, size_t width, const float* factors, const RowCopy& shape, void* to);

  // Loops over the scores of one row; `count` is a multiple of lanes where nothing else is said.
  void (*cap)(float* row, size_t count, float cap);                      // cap * tanh(row / cap)
  void (*add)(float* row, const float* more, size_t count);              // Any count.
  void (*hide)(float* row, const bool* seen, size_t count);              // Any count; -infinity where not seen.
  void (*hide_segments)(float* row, const int32_t* segments, int32_t own, size_t count);  // Any count.
  void (*drop)(float* row, size_t count, uint32_t index, const uint32_t seed[2], float rate);
  // The row becomes exp(row - max) with the new maximum, sum the sum of these so far; returns what earlier results are
  // to be multiplied by.
  float (*softmax)(float* row, size_t count, float* max, float* sum);
  // Of `count` rows, a multiple of lanes: factors = 1 / sum and logs = max + ln sum; 0 and infinity where sum is 0.
  void (*finish_softmax)(const float* max, const float* sum, size_t count, float* factors, float* logs);
  float (*exp_minus)(float* row, size_t count, float subtract);  // exp(row - subtract), and returns its sum.
  void (*multiply)(float* row, size_t count, float factor);
  float (*dot)(const float* a, const float* b, size_t count);
  // scores[i] = p[i] (gradient[i] - mean): the gradient of what softmax was given.
  void (*softmax_gradient)(const float* p, const float* gradient, float mean, float* scores, size_t count);
  // gradient *= 1 - (capped / cap)^2
  void (*cap_gradient)(float* gradient, const float* capped, size_t count, float cap);

  const PairKernels* pairs;  // Null where the set has none.
};

const Kernels& ScalarKernels();
#if MMCORE_X86
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();
const Kernels& Avx512Bf16Kernels();
bool HasAvx512Bf16();
const Kernels& AmxKernels();
bool HasAmx();  // And the system lets this process use it.
#endif

const Kernels& KernelsFor(Isa isa);

// With pairs, where this processor multiplies them faster than floats: by AMX, or on AMD. (Without tiles one product of
// pairs is two of floats. AMD's Zen 4 begins as many of them in a cycle, so they are twice as fast; Intel's Sapphire
// Rapids begins one in two cycles where it begins two of floats in each, so they are half as fast: measured, 1.6 against
// 6.7 thousand million a second.)
const Kernels& KernelsForBfloat16(Isa isa);

}  // namespace mmcore::attention

#endif  // MMCORE_CORE_ATTENTION_KERNELS_H_
