// Runs of characters of a set, as Python spells them.
#ifndef MMCORE_PYTHON_SET_RUN_H_
#define MMCORE_PYTHON_SET_RUN_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/errors.h"
#include "core/text/character_set.h"

namespace mmcore::python {

// Throws InvalidArgument. `most` 0: any number.
inline text::SetRun ToSetRun(const std::vector<std::pair<uint32_t, uint32_t>>& pairs, size_t least, size_t most) {
  if (most == 0) most = SIZE_MAX;
  if (least == 0 || least > most) throw InvalidArgument("a run has at least 1 character and no less than its least");
  std::vector<text::CodePointRange> ranges;
  for (const auto& [first, last] : pairs) ranges.push_back({first, last});
  return {text::CharacterSet(std::move(ranges)), least, most};
}

}  // namespace mmcore::python

#endif  // MMCORE_PYTHON_SET_RUN_H_
