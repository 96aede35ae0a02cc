#include "core/image/augment/spec.h"

#include <cmath>
#include <string>

#include "core/base/errors.h"

namespace mmcore::image {

double AugmentSpecReader::Number(const char* name, double least, double most) {
  if (rest_.empty()) throw InvalidArgument(std::string("an augmentation ends before its ") + name);
  const double value = rest_[0];
  rest_ = rest_.subspan(1, rest_.size() - 1);
  if (!(value >= least && value <= most)) {
    throw InvalidArgument(std::string(name) + " of an augmentation must be " + std::to_string(least) + " to " +
                          std::to_string(most) + ", got " + std::to_string(value));
  }
  return value;
}

int AugmentSpecReader::Whole(const char* name, int least, int most) {
  const double value = Number(name, least, most);
  if (value != std::floor(value)) {
    throw InvalidArgument(std::string(name) + " of an augmentation must be a whole number, got " +
                          std::to_string(value));
  }
  return static_cast<int>(value);
}

Range AugmentSpecReader::Ordered(const char* name, double least, double most) {
  const double low = Number(name, least, most);
  return {low, Number(name, low, most)};
}

}  // namespace mmcore::image
