// What can be wrong: what the caller asked for, and what the bytes from outside say.
// Each edge translates them once (ValueError in Python, InvalidArgument in TensorFlow) with the same sentence.
#ifndef MMCORE_CORE_BASE_ERRORS_H_
#define MMCORE_CORE_BASE_ERRORS_H_

#include <stdexcept>
#include <string>

#include "core/base/api.h"

namespace mmcore {

// A caller's mistake: a shape, a size, an option.
class MMCORE_API InvalidArgument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
  ~InvalidArgument() override;
};

// An input over a limit that protects memory or time: a mistake of the caller too, with a type of its own in Python.
class MMCORE_API LimitError : public InvalidArgument {
 public:
  using InvalidArgument::InvalidArgument;
  ~LimitError() override;
};

// Malformed bytes that came from outside: a vocabulary, an image, a tokenizer specification.
class MMCORE_API DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~DataError() override;
};

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_ERRORS_H_
