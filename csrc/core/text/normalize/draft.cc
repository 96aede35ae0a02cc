#include "core/text/normalize/draft.h"

#include "core/base/errors.h"

namespace mmcore {
namespace text {

void Draft::RefuseSize() const {
  throw LimitError("the tokenizer's normalizers make more than " + std::to_string(limit) +
                   " bytes of a text, many times what it has; look for one in the tokenizer's file that puts long "
                   "texts in place of short ones");
}

}  // namespace text
}  // namespace mmcore
