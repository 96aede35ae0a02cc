// Precompiled: the character map of a SentencePiece model, as Hugging Face applies it.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_PRECOMPILED_H_
#define MMCORE_CORE_TEXT_NORMALIZE_PRECOMPILED_H_

#include <array>
#include <string_view>

#include "core/base/api.h"
#include "core/text/normalize/charsmap.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

// Not as SentencePiece does: a grapheme cluster of fewer than 6 bytes is looked up whole, and becomes what its
// shortest prefix becomes, what follows being lost; any other, and where that finds nothing, is looked up
// character by character.
class MMCORE_API Precompiled final : public Normalizer {
 public:
  explicit Precompiled(std::string_view charsmap);

  bool Apply(const Draft& in, Draft& out) const override;

 private:
  CharsMap map_;
  std::array<bool, 256> plain_;  // ASCII that alone stays as it is.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_PRECOMPILED_H_
