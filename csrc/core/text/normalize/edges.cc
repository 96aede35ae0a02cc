#include "core/text/normalize/edges.h"

#include <string_view>

#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

bool IsSpace(uint32_t c) { return unicode::Flags(c) & unicode::kSpace; }

size_t EndOfLeadingSpace(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    if (!IsSpace(c.code_point)) break;
    at += c.size;
  }
  return at;
}

size_t BeginOfTrailingSpace(std::string_view text, size_t begin) {
  size_t end = text.size();
  while (end > begin) {
    size_t at = end - 1;
    while (utf8::IsContinuation(text[at])) --at;
    if (!IsSpace(utf8::DecodeValid(text.data() + at).code_point)) break;
    end = at;
  }
  return end;
}

}  // namespace

bool Strip::Apply(const Draft& in, Draft& out) const {
  const size_t begin = left_ ? EndOfLeadingSpace(in.bytes) : 0;
  const size_t end = right_ ? BeginOfTrailingSpace(in.bytes, begin) : in.bytes.size();
  if (begin == 0 && end == in.bytes.size()) return false;
  out.Keep(in, begin, end);
  return true;
}

bool Prepend::Apply(const Draft& in, Draft& out) const {
  if (in.bytes.empty() || prefix_.empty()) return false;
  out.Put(prefix_, in, 0, utf8::DecodeValid(in.bytes.data()).size);
  out.Keep(in, 0, in.bytes.size());
  return true;
}

}  // namespace text
}  // namespace mmcore
