#include "core/text/normalize/precompiled.h"

#include <algorithm>
#include <vector>

#include "core/base/grapheme_tables.h"
#include "core/base/utf8.h"
#include "core/text/normalize/rewriter.h"

namespace mmcore {
namespace text {
namespace {

constexpr size_t kWholeBelow = 6;  // Bytes of a cluster.

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += utf8::IsContinuation(c) ? 0 : 1;
  return count;
}

// Where the characters of the result come from, by Hugging Face's count: each takes the next one of the text.
// What a string has more than it replaces takes none and stands for the one before; what it has less, the last
// character of the result takes too. At the begin of a text there is none: all that follows is shifted.
class Takings {
 public:
  void Keep(std::string_view text) { taken_.resize(taken_.size() + CountCharacters(text), 1); }

  void Replace(std::string_view old, std::string_view found) {
    const size_t before = CountCharacters(old), after = CountCharacters(found);
    taken_.resize(taken_.size() + std::min(before, after), 1);
    if (after > before) taken_.resize(taken_.size() + after - before, 0);
    if (after < before && !taken_.empty()) taken_.back() += before - after;
  }

  void Write(const Draft& in, Draft& out) const {
    size_t at = 0, source = 0;
    for (const size_t taken : taken_) {
      const size_t end = at + utf8::DecodeValid(out.bytes.data() + at).size;
      const Offset origin = taken > 0     ? in.origins[std::min(source, in.bytes.size() - 1)]
                            : source == 0 ? Offset{0, 0}
                                          : in.origins[source - 1];
      std::fill(out.origins.begin() + static_cast<std::ptrdiff_t>(at),
                out.origins.begin() + static_cast<std::ptrdiff_t>(end), origin);
      for (size_t i = 0; i < taken && source < in.bytes.size(); ++i) {
        source += utf8::DecodeValid(in.bytes.data() + source).size;
      }
      at = end;
    }
  }

 private:
  std::vector<size_t> taken_;  // By each character of the result.
};

}  // namespace

Precompiled::Precompiled(std::string_view charsmap) : map_(charsmap), plain_{} {
  for (size_t c = 0; c < 128; ++c) {
    const char byte = static_cast<char>(c);
    plain_[c] = c != '\r' && map_.Shortest({&byte, 1}).size == 0;  // CR LF is one cluster.
  }
}

bool Precompiled::Apply(const Draft& in, Draft& out) const {
  const std::string_view text = in.bytes;
  Rewriter rewriter(in, out);
  Takings takings;
  size_t kept = 0;
  const auto replace = [&](size_t begin, size_t end, std::string_view found) {
    rewriter.Replace(begin, end, found);
    if (!in.tracked) return;
    takings.Keep(text.substr(kept, begin - kept));
    takings.Replace(text.substr(begin, end - begin), found);
    kept = end;
  };
  const auto map = [&](size_t begin, size_t end) {
    const std::string_view part = text.substr(begin, end - begin);
    const CharsMap::Rule rule = map_.Shortest(part);
    if (rule.size == 0) return false;
    if (rule.text != part) replace(begin, end, rule.text);
    return true;
  };
  for (size_t at = 0; at < text.size();) {
    // No ASCII character joins the cluster of one before it.
    const bool alone = at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < 0x80;
    if (alone && plain_[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const size_t end = unicode::GraphemeEnd(text, at);
    if (end - at < kWholeBelow && map(at, end)) at = end;
    while (at < end) {
      const size_t next = at + utf8::DecodeValid(text.data() + at).size;
      map(at, next);
      at = next;
    }
  }
  const bool changed = rewriter.Finish();
  if (changed && in.tracked) {
    takings.Keep(text.substr(kept));
    takings.Write(in, out);
  }
  return changed;
}

}  // namespace text
}  // namespace mmcore
