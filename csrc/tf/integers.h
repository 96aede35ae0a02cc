// A text of integers: how the options of an op reach its kernel, through an attribute or through XLA's config.
#ifndef MMCORE_TF_INTEGERS_H_
#define MMCORE_TF_INTEGERS_H_

#include <cstdint>
#include <string_view>

namespace mmcore::tf {

// Integers in decimal, with one space between two.
class Integers {
 public:
  explicit Integers(std::string_view text) : text_(text), rest_(text) {}

  // Throw InvalidArgument where the next is not an integer in [least, most], and where something is left.
  int64_t Next(int64_t least, int64_t most);
  bool Flag() { return Next(0, 1) == 1; }
  float Float();  // Written as the 32 bits of a float32.
  bool more() const { return !rest_.empty(); }
  void CheckEnd() const;

 private:
  [[noreturn]] void Fail() const;

  std::string_view text_, rest_;
};

}  // namespace mmcore::tf

#endif  // MMCORE_TF_INTEGERS_H_
