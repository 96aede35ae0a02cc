// Random numbers that are a pure function of what they are for: Philox4x32-10 keyed by a seed, counted by (index,
// purpose, block). No state is shared, so neither threads nor the batch an image is in can change a draw.
//
// Source: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011, section 3.3 and table 2.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_RANDOM_H_
#define MMCORE_CORE_IMAGE_AUGMENT_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/api.h"

namespace mmcore::image {

// Ten rounds of Philox on a counter of four words, under a key of two.
MMCORE_API std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The draws of one image for one purpose. Draw n is two words of block n / 2, low word first.
class MMCORE_API Stream {
 public:
  Stream(uint64_t seed, uint64_t index, uint32_t purpose);

  uint64_t Bits();
  double Uniform() { return static_cast<double>(Bits() >> 11) * 0x1p-53; }  // [0, 1)
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  // [0, count), count at least 1 and below 2^32: the high word of Bits() * count.
  uint64_t Below(uint64_t count);
  // True with this probability: always draws, so that what follows does not depend on it.
  bool Chance(double probability) { return Uniform() < probability; }

 private:
  const std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  bool half_ = false;  // Whether block_ has a draw left.
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_RANDOM_H_
