// What fuzz targets share: chance, properties that must hold, and errors that may come.
#ifndef MMCORE_TESTS_CPP_FUZZ_BASE_H_
#define MMCORE_TESTS_CPP_FUZZ_BASE_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>

#include "core/base/errors.h"

namespace fuzz {

// A property that does not hold. Not one of the core's errors, so that nothing takes it for one.
struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void Expect(bool holds, const char* what) {
  if (!holds) throw Broken(what);
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t limit) { return limit == 0 ? 0 : static_cast<size_t>(engine_() % limit); }
  bool OneIn(size_t n) { return Below(n) == 0; }
  // Small numbers are as likely as large ones.
  size_t Size(size_t limit) { return Below(Below(limit) + 1); }

 private:
  std::mt19937_64 engine_;
};

// Runs `work`: false where it threw one of the core's errors.
template <typename Work>
bool Runs(const Work& work) {
  try {
    work();
    return true;
  } catch (const mmcore::InvalidArgument&) {
  } catch (const mmcore::DataError&) {
  }
  return false;
}

}  // namespace fuzz

#endif  // MMCORE_TESTS_CPP_FUZZ_BASE_H_
