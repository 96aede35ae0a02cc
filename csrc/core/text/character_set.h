// CharacterSet: a set of code points, as a class of a regular expression spells it.
#ifndef MMCORE_CORE_TEXT_CHARACTER_SET_H_
#define MMCORE_CORE_TEXT_CHARACTER_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/api.h"
#include "core/text/normalize/characters.h"
#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {

// Code points first to last.
struct CodePointRange {
  uint32_t first, last;
};

class MMCORE_API CharacterSet {
 public:
  // Throws InvalidArgument unless the ranges are sorted, apart and of code points.
  explicit CharacterSet(std::vector<CodePointRange> ranges);

  bool Contains(uint32_t c) const { return c < 128 ? ascii_[c] : Search(c); }
  const LeadBytes& leads() const { return leads_; }

 private:
  bool Search(uint32_t c) const;

  std::vector<CodePointRange> ranges_;
  LeadBytes leads_;
  std::array<bool, 128> ascii_;
};

// [set]{least,most}: runs of characters of a set, taken greedily from the left. 1 <= least <= most.
struct SetRun {
  CharacterSet set;
  size_t least, most;
};

// Fields: list of (u32 first, u32 last). Throws DataError.
CharacterSet ReadCharacterSet(SpecReader& in);

// Fields: u32 least, u32 most (~0: any number), the set. Throws DataError.
SetRun ReadSetRun(SpecReader& in);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_CHARACTER_SET_H_
