#include "core/text/character_set.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/errors.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr uint32_t kLastCodePoint = 0x10FFFF;

size_t LeadByte(uint32_t c) {
  char bytes[4];
  utf8::Encode(c, bytes);
  return static_cast<unsigned char>(bytes[0]);
}

// The number of the first range that does not come behind the one before, or their count.
size_t FirstOutOfOrder(const std::vector<CodePointRange>& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    const bool rises = ranges[i].first <= ranges[i].last && ranges[i].last <= kLastCodePoint;
    if (!rises || (i != 0 && ranges[i].first <= ranges[i - 1].last)) return i;
  }
  return ranges.size();
}

}  // namespace

CharacterSet::CharacterSet(std::vector<CodePointRange> ranges) : ranges_(std::move(ranges)), leads_{}, ascii_{} {
  const size_t wrong = FirstOutOfOrder(ranges_);
  if (wrong != ranges_.size()) {
    throw InvalidArgument("range " + std::to_string(wrong) + " of a set of characters, " +
                          std::to_string(ranges_[wrong].first) + " to " + std::to_string(ranges_[wrong].last) +
                          ", must be of code points and lie behind the one before");
  }
  for (const CodePointRange& range : ranges_) {
    for (size_t lead = LeadByte(range.first); lead <= LeadByte(range.last); ++lead) {
      leads_[lead] = !utf8::IsContinuation(static_cast<char>(lead));
    }
  }
  for (uint32_t c = 0; c < 128; ++c) ascii_[c] = Search(c);
}

bool CharacterSet::Search(uint32_t c) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), c,
                                      [](uint32_t value, const CodePointRange& r) { return value < r.first; });
  return after != ranges_.begin() && c <= (after - 1)->last;
}

CharacterSet ReadCharacterSet(SpecReader& in) {
  std::vector<CodePointRange> ranges(in.Count(kLastCodePoint, 8, "ranges of characters"));
  for (CodePointRange& range : ranges) {
    range.first = in.U32();
    range.last = in.U32();
  }
  if (FirstOutOfOrder(ranges) != ranges.size()) in.Fail("has ranges of characters that are not in order");
  return CharacterSet(std::move(ranges));
}

SetRun ReadSetRun(SpecReader& in) {
  const size_t least = in.U32();
  const uint32_t most = in.U32();
  if (least == 0 || least > most) {
    in.Fail("has runs of " + std::to_string(least) + " to " + std::to_string(most) + " characters");
  }
  return {ReadCharacterSet(in), least, most == 0xFFFFFFFF ? SIZE_MAX : most};
}

}  // namespace text
}  // namespace mmcore
