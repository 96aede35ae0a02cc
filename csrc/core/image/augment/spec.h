// A specification: the steps of an augmentation as float64 numbers, which Python writes and both faces pass on.
// A version, then for each step its kind and the numbers that its reader asks for.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_SPEC_H_
#define MMCORE_CORE_IMAGE_AUGMENT_SPEC_H_

#include <cstddef>

#include "core/base/span.h"

namespace mmcore::image {

constexpr double kAugmentVersion = 1;

enum class StepKind {
  kRandomResizedCrop = 1,
  kHorizontalFlip = 2,
  kColorJitter = 3,
  kGrayscale = 4,
  kRandAugment = 5,
  kRandomErasing = 6,
};

struct Range {
  double low;
  double high;
};

class AugmentSpecReader {
 public:
  explicit AugmentSpecReader(Span<const double> numbers) : rest_(numbers) {}

  bool done() const { return rest_.empty(); }
  // The next number. Throws InvalidArgument that names it where it is absent or outside [least, most].
  double Number(const char* name, double least, double most);
  // The same, a whole number.
  int Whole(const char* name, int least, int most);
  // Two numbers in order.
  Range Ordered(const char* name, double least, double most);
  double Probability() { return Number("p", 0, 1); }

 private:
  Span<const double> rest_;
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_SPEC_H_
