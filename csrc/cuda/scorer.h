// From products q . k to scores, and from gradients of probabilities back to gradients of products: what masks, segment
// ids, places, bias, soft cap and dropout do to one element.
//
// kGeneral = false is the common case without any of these but places, and with a positive scale.
#ifndef MMCORE_CUDA_SCORER_H_
#define MMCORE_CUDA_SCORER_H_

#include <type_traits>

#include "core/attention/dropout.h"
#include "cuda/call.h"

namespace mmcore::cuda {

inline bool NeedsGeneral(const MmcoreAttention& call) {
  return call.mask.data != nullptr || call.bias.data != nullptr || call.query_segments != nullptr ||
         call.soft_cap > 0 || call.dropout_rate > 0 || !(call.scale > 0);
}

struct Seed {
  uint32_t words[2];
};

MMCORE_DEVICE Seed SeedOf(const Call& call) {
  const uint32_t* seed = call.device_seed != nullptr ? call.device_seed : call.seed;
  return {{seed[0], seed[1]}};
}

// What is given back for one element by the backward pass.
struct Pulled {
  float weight;   // The probability after dropout: the weight of the value.
  float score;    // The gradient of the score, bias included.
  float product;  // The gradient of scale q . k.
};

// In float32 what is subtracted is subtracted first, as in softmax.h.
template <typename T>
constexpr bool kExact = std::is_same_v<T, float>;

// Of one head of one example.
template <typename T, bool kGeneral>
class Scorer {
 public:
  MMCORE_DEVICE Scorer(const Call& call, const Seed& seed, int batch, int head)
      : call_(call), seed_(seed) {
    if constexpr (!kGeneral) return;
    mask_ = static_cast<const uint8_t*>(call.mask.data);
    if (mask_ != nullptr) mask_ += batch * call.mask.batch + head * call.mask.head;
    bias_ = static_cast<const float*>(call.bias.data);
    if (bias_ != nullptr) bias_ += batch * call.bias.batch + head * call.bias.head;
    query_segments_ = call.query_segments;
    if (query_segments_ != nullptr) {
      query_segments_ += static_cast<int64_t>(batch) * call.queries;
      key_segments_ = call.key_segments + static_cast<int64_t>(batch) * call.keys;
    }
    first_ = (static_cast<uint32_t>(batch) * static_cast<uint32_t>(call.heads) + static_cast<uint32_t>(head)) *
             static_cast<uint32_t>(call.queries);
  }

  // What Score leaves to be multiplied with.
  MMCORE_DEVICE float Scale() const { return kGeneral ? 1.0f : call_.scale; }

  // -infinity where the query does not see the key. `whole`: AllPlacesMeet holds for the tile.
  MMCORE_DEVICE float Score(float product, int query, int key, bool whole) const {
    if constexpr (!kGeneral) return whole || PlacesMeet(call_, query, key) ? product : -Infinity();
    return Sees(query, key) ? Capped(product) + Bias(query, key) : -Infinity();
  }

  // 1 / (1 - dropout_rate) where dropout keeps the probability, else 0.
  MMCORE_DEVICE float Keep(int query, int key) const {
    if (!kGeneral || call_.dropout_rate == 0) return 1.0f;
    const uint32_t index = (first_ + static_cast<uint32_t>(query)) * static_cast<uint32_t>(call_.keys) +
                           static_cast<uint32_t>(key);
    return attention::DropoutKeeps(seed_.words, call_.dropout_rate, index) ? call_.keep : 0.0f;
  }

  MMCORE_DEVICE bool Drops() const { return kGeneral && call_.dropout_rate > 0; }

  // dweight: the gradient of the weight; delta: the sum of probability times its gradient.
  MMCORE_DEVICE Pulled Pull(float product, float dweight, float lse, float delta, int query, int key,
                            bool whole) const {
    if constexpr (!kGeneral) {
      const bool sees = whole || PlacesMeet(call_, query, key);
      float probability = kExact<T> ? Exp(product * call_.scale - lse)
                                    : Exp2(product * (call_.scale * kLog2E) - lse * kLog2E);
      if (!sees) probability = 0;
      const float gradient = probability * (dweight - delta);
      return {probability, gradient, gradient};
    }
    if (!Sees(query, key)) return {0.0f, 0.0f, 0.0f};
    const float capped = Capped(product), keep = Keep(query, key);
    const float exponent = capped + Bias(query, key) - lse;
    const float probability = kExact<T> ? Exp(exponent) : Exp2(exponent * kLog2E);
    const float gradient = probability * (dweight * keep - delta);
    const float part = call_.soft_cap > 0 ? capped * call_.inverse_cap : 0.0f;
    return {probability * keep, gradient, gradient * (1.0f - part * part)};
  }

 private:
  MMCORE_DEVICE bool Sees(int query, int key) const {
    return PlacesMeet(call_, query, key) && (mask_ == nullptr || mask_[query * call_.mask.query + key] != 0) &&
           (query_segments_ == nullptr || query_segments_[query] == key_segments_[key]);
  }

  MMCORE_DEVICE float Capped(float product) const {
    const float score = product * call_.scale;
    return call_.soft_cap > 0 ? call_.soft_cap * Tanh(score * call_.inverse_cap) : score;
  }

  MMCORE_DEVICE float Bias(int query, int key) const {
    return bias_ == nullptr ? 0.0f : bias_[query * call_.bias.query + key];
  }

  const Call& call_;
  Seed seed_;
  const uint8_t* mask_ = nullptr;
  const float* bias_ = nullptr;
  const int32_t* query_segments_ = nullptr;
  const int32_t* key_segments_ = nullptr;
  uint32_t first_ = 0;  // Counts the queries of the heads before this one.
};

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_SCORER_H_
