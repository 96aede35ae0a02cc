// The normalizers of a tokenizer.json that are several steps, or a step with a set of characters of its own.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_STEPS_H_
#define MMCORE_CORE_TEXT_NORMALIZE_STEPS_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/api.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

using NormalizerSteps = std::vector<std::unique_ptr<const Normalizer>>;

// The switches of BertNormalizer.
struct BertSwitches {
  bool clean_text, space_ideographs, strip_accents, lowercase;
};

// Each appends its steps, in their order.
MMCORE_API void AppendBert(const BertSwitches& switches, NormalizerSteps& steps);
// SentencePiece's cleaning for translation: control characters go, odd spaces become spaces.
MMCORE_API void AppendNmt(NormalizerSteps& steps);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_STEPS_H_
