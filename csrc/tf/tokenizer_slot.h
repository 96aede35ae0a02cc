// TokenizerSlot: the tokenizer that a kernel uses, made from the specification among its inputs.
#ifndef MMCORE_TF_TOKENIZER_SLOT_H_
#define MMCORE_TF_TOKENIZER_SLOT_H_

#include <memory>
#include <mutex>
#include <optional>

#include "core/text/tokenizer.h"
#include "tf/tensor.h"

namespace mmcore::tf {

// The tokenizer of the specification last seen. The specification is an input and not an attribute because eager
// TensorFlow hashes all attributes at each call: 0.5 ms for a megabyte. A constant keeps its memory while it is
// referred to, so that the same address is the same specification.
class TokenizerSlot {
 public:
  // Throws InvalidArgument for a tensor that is no scalar, DataError for a malformed specification.
  std::shared_ptr<const text::Tokenizer> Get(Tensor spec);

 private:
  std::mutex mutex_;
  std::optional<Tensor> spec_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
};

}  // namespace mmcore::tf

#endif  // MMCORE_TF_TOKENIZER_SLOT_H_
