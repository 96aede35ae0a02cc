// FormNormalizer: NFC, NFD, NFKC and NFKD.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_FORM_H_
#define MMCORE_CORE_TEXT_NORMALIZE_FORM_H_

#include "core/base/api.h"
#include "core/base/normalization_tables.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

// Source: Unicode Standard Annex 15, "Unicode Normalization Forms"; chapter 3.11 of the Unicode Standard.
// A text is left alone but for its unstable stretches (see unicode::UnstableForms), each normalized alone with
// the character before it, which may compose with it.
class MMCORE_API FormNormalizer final : public Normalizer {
 public:
  FormNormalizer(unicode::Form form, unicode::Edition edition)
      : form_(form), edition_(edition), unstable_(unicode::UnstableBit(form, edition)) {}

  bool Apply(const Draft& in, Draft& out) const override;

 private:
  unicode::Form form_;
  unicode::Edition edition_;
  uint8_t unstable_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_FORM_H_
