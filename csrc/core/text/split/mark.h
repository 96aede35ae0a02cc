// Marker: marks where words begin, as Metaspace ("a b" -> "▁a▁b") and ByteLevel with add_prefix_space do.
#ifndef MMCORE_CORE_TEXT_SPLIT_MARK_H_
#define MMCORE_CORE_TEXT_SPLIT_MARK_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/model.h"
#include "core/text/normalize/draft.h"
#include "core/text/spec.h"
#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

class Marker {
 public:
  enum class Where : uint32_t { kNever = 0, kFirst = 1, kAlways = 2 };

  // Reads the fields of a kMark. Throws DataError.
  explicit Marker(const Part& part);

  // Writes the marked words to `out`, tracked like `text`, and where they are in it to `marked`. A word gets a
  // mark in front where it has none: never, if it begins the whole text, or always.
  void Apply(const TextPiece& text, const std::vector<Cut>& words, Draft& out, std::vector<Cut>& marked) const;

  bool only_first() const { return where_ == Where::kFirst; }

 private:
  bool NeedsMark(const TextPiece& text, const Cut& word) const;

  bool replace_spaces_;
  Where where_;
  std::string_view mark_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_MARK_H_
