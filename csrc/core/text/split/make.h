// MakeSplitter: a splitter from its part of the specification.
#ifndef MMCORE_CORE_TEXT_SPLIT_MAKE_H_
#define MMCORE_CORE_TEXT_SPLIT_MAKE_H_

#include <memory>

#include "core/text/spec.h"
#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

// All tags but kMark, which changes words (see mark.h). Throws DataError for an unknown tag and malformed
// fields. The fields stay alive as long as the splitter.
std::unique_ptr<const Splitter> MakeSplitter(const Part& part);

// One splitter for two parts that follow each other, nullptr where none does both. Throws as MakeSplitter.
std::unique_ptr<const Splitter> MakeBoth(const Part& first, const Part& second);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_MAKE_H_
