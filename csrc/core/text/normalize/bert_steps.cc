#include "core/text/normalize/bert_steps.h"

#include <string>

#include "core/base/grapheme_tables.h"
#include "core/base/unicode_tables.h"
#include "core/text/normalize/characters.h"
#include "core/text/normalize/rewriter.h"

namespace mmcore {
namespace text {
namespace {

// Comes before the question for white space: U+0085 is both.
bool IsDropped(uint32_t c) {
  return c != '\t' && c != '\n' && c != '\r' && (unicode::Flags(c) & unicode::kRemoved);
}

bool IsSpace(uint32_t c) { return unicode::Flags(c) & unicode::kSpace; }

}  // namespace

bool CleanText::Apply(const Draft& in, Draft& out) const {
  static const LeadBytes kLeads =
      LeadBytesOf([](uint32_t c) { return c != ' ' && (IsSpace(c) || IsDropped(c)); });
  Rewriter rewriter(in, out);
  VisitCharacters(in.bytes, kLeads, [&](uint32_t c, size_t begin, size_t end) {
    if (IsDropped(c)) {
      rewriter.Cut(begin, end);
    } else if (IsSpace(c)) {
      rewriter.Replace(begin, end, " ");
    }
  });
  return rewriter.Finish();
}

bool SpaceIdeographs::Apply(const Draft& in, Draft& out) const {
  static const LeadBytes kLeads =
      LeadBytesOf([](uint32_t c) { return (unicode::Flags(c) & unicode::kIdeograph) != 0; });
  Rewriter rewriter(in, out);
  VisitCharacters(in.bytes, kLeads, [&](uint32_t c, size_t begin, size_t end) {
    if (!(unicode::Flags(c) & unicode::kIdeograph)) return;
    const std::string spaced = ' ' + in.bytes.substr(begin, end - begin) + ' ';
    rewriter.Replace(begin, end, spaced);
  });
  return rewriter.Finish();
}

bool StripMarks::Apply(const Draft& in, Draft& out) const {
  const auto drops = [all = all_](uint32_t c) {
    return all ? (unicode::GraphemeByte(c) & unicode::kCombiningMark) != 0
               : (unicode::Flags(c) & unicode::kMark) != 0;
  };
  static const LeadBytes kLeads = LeadBytesOf([](uint32_t c) {
    return (unicode::GraphemeByte(c) & unicode::kCombiningMark) || (unicode::Flags(c) & unicode::kMark);
  });
  Rewriter rewriter(in, out);
  VisitCharacters(in.bytes, kLeads, [&](uint32_t c, size_t begin, size_t end) {
    if (drops(c)) rewriter.Cut(begin, end);
  });
  return rewriter.Finish();
}

}  // namespace text
}  // namespace mmcore
