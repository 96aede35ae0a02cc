// The steps that BERT's normalizer is made of, beside NFD and Lowercase; the marks are also StripAccents.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_BERT_STEPS_H_
#define MMCORE_CORE_TEXT_NORMALIZE_BERT_STEPS_H_

#include "core/base/api.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

// Drops control characters and makes each white space a space.
class CleanText final : public Normalizer {
 public:
  bool Apply(const Draft& in, Draft& out) const override;
};

// Puts spaces around each ideograph.
class SpaceIdeographs final : public Normalizer {
 public:
  bool Apply(const Draft& in, Draft& out) const override;
};

// Drops marks: the non-spacing ones as BERT does, or all as StripAccents does. Decomposes nothing by itself.
class MMCORE_API StripMarks final : public Normalizer {
 public:
  explicit StripMarks(bool all) : all_(all) {}
  bool Apply(const Draft& in, Draft& out) const override;

 private:
  bool all_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_BERT_STEPS_H_
