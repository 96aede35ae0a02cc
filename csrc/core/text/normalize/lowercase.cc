#include "core/text/normalize/lowercase.h"

#include <algorithm>
#include <string>

#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"
#include "core/text/normalize/ascii.h"
#include "core/text/normalize/characters.h"
#include "core/text/normalize/rewriter.h"

namespace mmcore {
namespace text {
namespace {

bool IsUpperAscii(char c) { return c >= 'A' && c <= 'Z'; }

bool ApplyAscii(const Draft& in, Draft& out) {
  if (std::none_of(in.bytes.begin(), in.bytes.end(), IsUpperAscii)) return false;
  out.Keep(in, 0, in.bytes.size());
  for (char& c : out.bytes) c = static_cast<char>(c | (IsUpperAscii(c) ? 0x20 : 0));
  return true;
}

}  // namespace

bool Lowercase::Apply(const Draft& in, Draft& out) const {
  static const LeadBytes kLeads = LeadBytesOf([](uint32_t c) { return !unicode::Lower(c).empty(); });
  if (FindNonAscii(in.bytes, 0) == in.bytes.size()) return ApplyAscii(in, out);
  Rewriter rewriter(in, out);
  VisitCharacters(in.bytes, kLeads, [&](uint32_t c, size_t begin, size_t end) {
    const Span<const uint32_t> lower = unicode::Lower(c);
    if (lower.empty()) return;
    char bytes[16];  // At most 3 characters.
    size_t size = 0;
    for (const uint32_t part : lower) size += utf8::Encode(part, bytes + size);
    rewriter.Replace(begin, end, {bytes, size});
  });
  return rewriter.Finish();
}

}  // namespace text
}  // namespace mmcore
