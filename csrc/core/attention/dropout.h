// Which probabilities dropout keeps: a function of the seed and the place alone, the same in every kernel and in
// TensorFlow (mmcore/ops/seeds.py has it in Python).
#ifndef MMCORE_CORE_ATTENTION_DROPOUT_H_
#define MMCORE_CORE_ATTENTION_DROPOUT_H_

#include <cstdint>

namespace mmcore::attention {

// A bijection of 32-bit words. Source: the form is Appleby's, in MurmurHash3; constants: Wellons 2018.
constexpr uint32_t Hash(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x21F0AAADu;
  x = (x ^ (x >> 15)) * 0x735A2D97u;
  return x ^ (x >> 15);
}

// `index` counts [batch, heads, queries, keys] in row-major order, modulo 2^32.
constexpr bool DropoutKeeps(const uint32_t seed[2], float rate, uint32_t index) {
  const uint32_t bits = Hash(Hash(index + Hash(seed[0])) ^ seed[1]);
  // By way of int32, which processors turn into floats in vectors.
  return static_cast<float>(static_cast<int32_t>(bits >> 8)) * (1.0f / 16777216.0f) >= rate;
}

}  // namespace mmcore::attention

#endif  // MMCORE_CORE_ATTENTION_DROPOUT_H_
