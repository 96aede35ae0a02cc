// Scanned: a splitter of any scanner, with what becomes of its matches.
#ifndef MMCORE_CORE_TEXT_SPLIT_SCANNED_H_
#define MMCORE_CORE_TEXT_SPLIT_SCANNED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/split/behaviour.h"
#include "core/text/split/scanners.h"
#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

template <typename Scanner>
class Scanned final : public Splitter {
 public:
  Scanned(Scanner scanner, Behaviour behaviour, bool invert = false)
      : scanner_(std::move(scanner)), behaviour_(behaviour), invert_(invert) {}

  void Split(std::string_view text, size_t begin, size_t end, std::vector<Cut>& words) const override {
    SplitUpTo(text, begin, end, SIZE_MAX, words);
  }

  // Where parts are merged, what follows depends on what was before.
  size_t SplitSome(std::string_view text, size_t begin, size_t end, size_t most,
                   std::vector<Cut>& words) const override {
    const bool merges = behaviour_ != Behaviour::kRemoved && behaviour_ != Behaviour::kIsolated;
    return SplitUpTo(text, begin, end, merges ? SIZE_MAX : most, words);
  }

 private:
  size_t SplitUpTo(std::string_view text, size_t begin, size_t end, size_t most, std::vector<Cut>& words) const {
    Pieces pieces(behaviour_, invert_, words);
    const char* const base = text.data();
    const char* const stop = base + end;
    const auto offset = [&](const char* p) { return static_cast<size_t>(p - base); };
    const char* p = base + begin;
    while (p < stop && words.size() < most) {
      const Match match = scanner_.Next(p, stop);
      if (match.begin != p) pieces.Add(offset(p), offset(match.begin), false);
      if (match.begin != match.end) pieces.Add(offset(match.begin), offset(match.end), true);
      p = match.end;
    }
    return offset(p);
  }

  const Scanner scanner_;
  const Behaviour behaviour_;
  const bool invert_;
};

template <typename Scanner>
std::unique_ptr<Splitter> MakeScanned(Scanner scanner, Behaviour behaviour, bool invert = false) {
  return std::make_unique<Scanned<Scanner>>(std::move(scanner), behaviour, invert);
}

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_SCANNED_H_
