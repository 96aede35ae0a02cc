// MakeNormalizer: the steps of a normalizer from its part of the specification.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_MAKE_H_
#define MMCORE_CORE_TEXT_NORMALIZE_MAKE_H_

#include "core/text/normalize/steps.h"
#include "core/text/spec.h"

namespace mmcore {
namespace text {

// Appends the steps. Throws DataError for an unknown tag and malformed fields.
void MakeNormalizer(const Part& part, NormalizerSteps& steps);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_MAKE_H_
