// The softmax of rows that come a few columns at a time. Source: Milakov and Gimelshein 2018, arXiv:1805.02867.
#ifndef MMCORE_CUDA_SOFTMAX_H_
#define MMCORE_CUDA_SOFTMAX_H_

#include "cuda/layout.h"

namespace mmcore::cuda {

// Of the quad, whose lanes hold parts of the same rows.
MMCORE_DEVICE float QuadMax(float x) {
  x = Max(x, ShuffleXor(x, 1));
  return Max(x, ShuffleXor(x, 2));
}
MMCORE_DEVICE float QuadSum(float x) {
  x += ShuffleXor(x, 1);
  return x + ShuffleXor(x, 2);
}

// kExact: subtracts first, so that exponents near 0 keep all their bits; else one fused instruction and a base of 2.
template <int kRowTiles, bool kExact>
class Softmax {
 public:
  // scale: positive, what scores are still to be multiplied with.
  MMCORE_DEVICE explicit Softmax(float scale) : scale_(scale), factor_(scale * kLog2E) {
    MMCORE_UNROLL
    for (int m = 0; m < kRowTiles; ++m) {
      MMCORE_UNROLL
      for (int half = 0; half < 2; ++half) max_[m][half] = -Infinity(), sum_[m][half] = 0;
    }
  }

  // Makes of scores their exponentials under the largest score so far, and brings what was summed under it, too.
  template <int kColumnTiles, int kSumTiles>
  MMCORE_DEVICE void Update(float (&scores)[kRowTiles][kColumnTiles][4], float (&sums)[kRowTiles][kSumTiles][4]) {
    MMCORE_UNROLL
    for (int m = 0; m < kRowTiles; ++m) {
      MMCORE_UNROLL
      for (int half = 0; half < 2; ++half) UpdateRow(scores[m], sums[m], m, half);
    }
  }

  // The sum of a row's exponentials, over all lanes.
  MMCORE_DEVICE float Sum(int m, int half) const { return QuadSum(sum_[m][half]); }

  // The natural logarithm of the sum of exp(score), given Sum.
  MMCORE_DEVICE float LogSum(int m, int half, float sum) const {
    return sum == 0 ? Infinity() : max_[m][half] * scale_ + Log2(sum) * kLn2;
  }

 private:
  template <int kColumnTiles, int kSumTiles>
  MMCORE_DEVICE void UpdateRow(float (&scores)[kColumnTiles][4], float (&sums)[kSumTiles][4], int m, int half) {
    float top = max_[m][half];
    MMCORE_UNROLL
    for (int n = 0; n < kColumnTiles; ++n) top = Max(top, Max(scores[n][2 * half], scores[n][2 * half + 1]));
    top = QuadMax(top);
    const float base = top == -Infinity() ? 0.0f : top;  // A row that has seen nothing yet stays at 0.
    const float shrink = Exponential(max_[m][half], base);
    max_[m][half] = top;
    float sum = sum_[m][half] * shrink;
    MMCORE_UNROLL
    for (int n = 0; n < kColumnTiles; ++n) {
      MMCORE_UNROLL
      for (int i = 2 * half; i < 2 * half + 2; ++i) {
        scores[n][i] = Exponential(scores[n][i], base);
        sum += scores[n][i];
      }
    }
    sum_[m][half] = sum;
    MMCORE_UNROLL
    for (int n = 0; n < kSumTiles; ++n) sums[n][2 * half] *= shrink, sums[n][2 * half + 1] *= shrink;
  }

  MMCORE_DEVICE float Exponential(float score, float base) const {
    return kExact ? Exp((score - base) * scale_) : Exp2(score * factor_ - base * factor_);
  }

  float scale_, factor_;
  float max_[kRowTiles][2];  // Of scores without the scale.
  float sum_[kRowTiles][2];  // Of this lane's columns.
};

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_SOFTMAX_H_
