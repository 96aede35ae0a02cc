// Rewriter: what a normalizer writes through: copies what it does not touch, and knows whether it touched any.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_REWRITER_H_
#define MMCORE_CORE_TEXT_NORMALIZE_REWRITER_H_

#include <cstddef>
#include <string_view>

#include "core/text/normalize/draft.h"

namespace mmcore {
namespace text {

class Rewriter {
 public:
  Rewriter(const Draft& in, Draft& out) : in_(in), out_(out) {}

  // Bytes [begin, end), which begin where those of the last call end or later, are left out; what is appended
  // to the result takes their place.
  Draft& Cut(size_t begin, size_t end) {
    if (!changed_) Reserve();
    changed_ = true;
    out_.Keep(in_, kept_, begin);
    kept_ = end;
    return out_;
  }

  // Bytes [begin, end), at least one, become `text`.
  void Replace(size_t begin, size_t end, std::string_view text) { Cut(begin, end).Put(text, in_, begin, end); }

  // Copies the rest. False: nothing was changed, and nothing is copied.
  bool Finish() {
    if (changed_) out_.Keep(in_, kept_, in_.bytes.size());
    return changed_;
  }

 private:
  void Reserve() {
    out_.bytes.reserve(in_.bytes.size() + 16);
    if (in_.tracked) out_.origins.reserve(in_.bytes.size() + 16);
  }

  const Draft& in_;
  Draft& out_;
  size_t kept_ = 0;
  bool changed_ = false;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_REWRITER_H_
