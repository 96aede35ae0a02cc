// What becomes of the matches of a pattern and of the text between them.
#ifndef MMCORE_CORE_TEXT_SPLIT_BEHAVIOUR_H_
#define MMCORE_CORE_TEXT_SPLIT_BEHAVIOUR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

// Of "a-b--c" cut at "-":
enum class Behaviour : uint8_t {
  kRemoved = 0,             // a b c
  kIsolated = 1,            // a - b - - c
  kMergedWithPrevious = 2,  // a- b- - c
  kMergedWithNext = 3,      // a -b - -c
  kContiguous = 4,          // a - b -- c
};

// Turns the parts of one text, matches and what lies between them, into words.
class Pieces {
 public:
  // `invert`: what lies between the matches is taken for the matches, and they for it.
  Pieces(Behaviour behaviour, bool invert, std::vector<Cut>& out)
      : behaviour_(behaviour), invert_(invert), words_(out) {}

  // The next part, not empty; it begins where the one before ended.
  void Add(size_t begin, size_t end, bool is_match) {
    const bool match = is_match != invert_;
    if (behaviour_ == Behaviour::kIsolated || (behaviour_ == Behaviour::kRemoved && !match)) {
      words_.push_back({begin, end});
    } else if (behaviour_ != Behaviour::kRemoved) {
      Merge(begin, end, match);
    }
  }

 private:
  void Merge(size_t begin, size_t end, bool match) {
    bool joins = !first_;
    switch (behaviour_) {
      case Behaviour::kMergedWithPrevious: joins = joins && match && !previous_; break;
      case Behaviour::kMergedWithNext: joins = joins && !match && previous_; break;
      default: joins = joins && match == previous_;
    }
    if (joins) {
      words_.back().end = end;
    } else {
      words_.push_back({begin, end});
    }
    first_ = false;
    previous_ = match;
  }

  const Behaviour behaviour_;
  const bool invert_;
  std::vector<Cut>& words_;
  bool first_ = true, previous_ = false;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_BEHAVIOUR_H_
