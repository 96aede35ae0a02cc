// Draft: a text on its way through normalizers, and where each of its bytes comes from.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_DRAFT_H_
#define MMCORE_CORE_TEXT_NORMALIZE_DRAFT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/api.h"

namespace mmcore {
namespace text {

// Bytes [begin, end) of a text.
struct Offset {
  int64_t begin, end;
};

struct MMCORE_API Draft {
  std::string bytes;  // Valid UTF-8.
  bool tracked = false;
  // One for each byte where `tracked`, else empty: the bytes of the original text that it stands for. All
  // bytes of a character have the same.
  std::vector<Offset> origins;

  // What is put on top of so many bytes is refused with a LimitError: a step that puts long texts in place of short
  // ones would fill any memory.
  size_t limit = static_cast<size_t>(-1);

  void Clear(bool track) {
    bytes.clear();
    origins.clear();
    tracked = track;
  }

  // Appends bytes [begin, end) of `source` as they are.
  void Keep(const Draft& source, size_t begin, size_t end) {
    bytes.append(source.bytes, begin, end - begin);
    if (!tracked) return;
    origins.insert(origins.end(), source.origins.begin() + static_cast<std::ptrdiff_t>(begin),
                   source.origins.begin() + static_cast<std::ptrdiff_t>(end));
  }

  // Appends new text that stands for bytes [begin, end) of `source`, at least one. What is put in front of a
  // text stands for its first character, as in Hugging Face.
  void Put(std::string_view text, const Draft& source, size_t begin, size_t end) {
    if (text.size() > limit || bytes.size() > limit - text.size()) RefuseSize();
    bytes.append(text);
    if (!tracked) return;
    const Offset origin{source.origins[begin].begin, source.origins[end - 1].end};
    origins.insert(origins.end(), text.size(), origin);
  }

 private:
  [[noreturn]] void RefuseSize() const;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_DRAFT_H_
