// MakeWordModel: a word model from the specification.
#ifndef MMCORE_CORE_TEXT_MODEL_MAKE_H_
#define MMCORE_CORE_TEXT_MODEL_MAKE_H_

#include <memory>

#include "core/text/model/word_model.h"
#include "core/text/spec.h"

namespace mmcore {
namespace text {

// Throws DataError for an unknown tag and malformed fields. `spec` stays alive as long as the model.
std::unique_ptr<const WordModel> MakeWordModel(const Spec& spec);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_MAKE_H_
