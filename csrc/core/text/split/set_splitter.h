// Split by a regular expression that is one class of characters, [a-z]+ or \d{1,3}, before which one character of
// another may stand, \s?\p{L}+; and the same for single bytes.
#ifndef MMCORE_CORE_TEXT_SPLIT_SET_SPLITTER_H_
#define MMCORE_CORE_TEXT_SPLIT_SET_SPLITTER_H_

#include <array>
#include <cstddef>
#include <memory>

#include "core/base/api.h"
#include "core/text/character_set.h"
#include "core/text/split/behaviour.h"
#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

MMCORE_API std::unique_ptr<Splitter> SplitSetRuns(SetRun run, Behaviour behaviour, bool invert);

// `run.least` is 1.
MMCORE_API std::unique_ptr<Splitter> SplitPrefixedRuns(CharacterSet prefix, SetRun run, Behaviour behaviour,
                                                       bool invert);

// Words may be cut within characters: a byte-level model takes them so.
struct ByteRun {
  std::array<bool, 256> set;
  size_t least, most;
};
MMCORE_API std::unique_ptr<Splitter> SplitByteRuns(ByteRun run, Behaviour behaviour, bool invert);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_SET_SPLITTER_H_
