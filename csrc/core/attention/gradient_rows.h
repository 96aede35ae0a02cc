// The gradients of the scores of some queries against some keys, from which all gradients of attention are made.
#ifndef MMCORE_CORE_ATTENTION_GRADIENT_ROWS_H_
#define MMCORE_CORE_ATTENTION_GRADIENT_ROWS_H_

#include "core/attention/scores.h"

namespace mmcore::attention {

// Queries that are taken at once at most: their scores, times three, stay in the second cache.
constexpr size_t kGradientRows = 96;

class GradientRows {
 public:
  // Copies these keys and values of one head.
  GradientRows(const Problem& problem, const Gradients& gradients, const Kernels& kernels, size_t b, size_t kv_head,
               Range keys);

  // False where these queries see none of the keys. Else the pointers below hold what is asked for, for block():
  // scores as [rows, stride()], queries as [rows, width()].
  bool Compute(size_t head, Range queries);

  const Block& block() const { return block_; }
  size_t stride() const { return stride_; }
  size_t width() const { return width_; }
  const float* queries() const;           // Times scale.
  const float* output_gradients() const;  // dO
  const float* dropped() const;           // P as it is multiplied by V, after dropout.
  const float* score_gradients() const;   // dS before capping.
  const float* bias_gradients() const;    // The same, of what bias is added to: after capping.

  // dS K, [rows, width()], not scaled. Takes the place of what else was computed.
  const float* QueryGradients() const;

 private:
  struct Scratch;
  static Scratch& OwnScratch();

  void Load(size_t head, Range queries);
  void Multiply(const float* a, const float* transposed, float* c) const;
  void RunRow(size_t row, float lse);
  float Mean(size_t row, const float* p, const float* gradient) const;

  const Problem& problem_;
  const Gradients& gradients_;
  const Kernels& kernels_;
  Scratch& scratch_;
  const Range keys_;
  const size_t b_, width_;
  const bool all_keys_;
  Block block_;
  size_t stride_ = 0, skipped_ = 0;
};

// The gradient of the bias, by units that each own a part of it.
void BiasGradients(const Problem& problem, const Gradients& gradients, const Kernels& kernels, Executor& executor);

}  // namespace mmcore::attention

#endif  // MMCORE_CORE_ATTENTION_GRADIENT_ROWS_H_
