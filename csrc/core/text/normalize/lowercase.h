// Lowercase: each character's own lower case, whatever is beside it.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_LOWERCASE_H_
#define MMCORE_CORE_TEXT_NORMALIZE_LOWERCASE_H_

#include "core/base/api.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

class MMCORE_API Lowercase final : public Normalizer {
 public:
  bool Apply(const Draft& in, Draft& out) const override;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_LOWERCASE_H_
