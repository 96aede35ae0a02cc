// Normalizer: one step that changes a text before it is cut into words.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_NORMALIZER_H_
#define MMCORE_CORE_TEXT_NORMALIZE_NORMALIZER_H_

#include "core/text/normalize/draft.h"

namespace mmcore {
namespace text {

// Const and safe from any number of threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Writes the normalized `in` to `out`, which is empty and tracked like `in`. False: `in` is normalized as it
  // is (found without copying, for most texts), and `out` is not to be used.
  virtual bool Apply(const Draft& in, Draft& out) const = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_NORMALIZER_H_
