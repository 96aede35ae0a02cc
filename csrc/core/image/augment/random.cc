#include "core/image/augment/random.h"

namespace mmcore::image {
namespace {

uint32_t Low(uint64_t value) {
  return static_cast<uint32_t>(value);
}

uint32_t High(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

}  // namespace

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57} * counter[2];
    counter = {High(second) ^ counter[1] ^ key[0], Low(second), High(first) ^ counter[3] ^ key[1], Low(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Stream::Stream(uint64_t seed, uint64_t index, uint32_t purpose)
    : key_{Low(seed), High(seed)}, counter_{Low(index), High(index), purpose, 0} {}

uint64_t Stream::Bits() {
  const size_t at = half_ ? 2 : 0;
  if (!half_) {
    block_ = Philox(counter_, key_);
    ++counter_[3];
  }
  half_ = !half_;
  return block_[at] | uint64_t{block_[at + 1]} << 32;
}

uint64_t Stream::Below(uint64_t count) {
  const uint64_t bits = Bits();
  return (High(bits) * count + (Low(bits) * count >> 32)) >> 32;
}

}  // namespace mmcore::image
