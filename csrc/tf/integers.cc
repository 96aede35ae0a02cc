#include "tf/integers.h"

#include <charconv>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include "core/base/errors.h"

namespace mmcore::tf {

int64_t Integers::Next(int64_t least, int64_t most) {
  if (rest_.size() < text_.size()) {
    if (rest_.empty() || rest_.front() != ' ') Fail();
    rest_.remove_prefix(1);
  }
  int64_t value = 0;
  const char* end = rest_.data() + rest_.size();
  const auto [stop, error] = std::from_chars(rest_.data(), end, value);
  if (error != std::errc() || value < least || value > most) Fail();
  rest_ = std::string_view(stop, static_cast<size_t>(end - stop));
  return value;
}

float Integers::Float() {
  const auto bits = static_cast<uint32_t>(Next(0, std::numeric_limits<uint32_t>::max()));
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

void Integers::CheckEnd() const {
  if (!rest_.empty()) Fail();
}

void Integers::Fail() const {
  constexpr size_t kShown = 200;
  throw InvalidArgument("the options of an op are not what mmcore.ops writes: '" +
                        std::string(text_.substr(0, kShown)) + "'; mmcore's Python code and libraries differ in version");
}

}  // namespace mmcore::tf
