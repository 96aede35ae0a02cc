#include "core/text/normalize/replace.h"

#include <string_view>

#include "core/text/normalize/characters.h"
#include "core/text/normalize/rewriter.h"

namespace mmcore {
namespace text {
namespace {

// What takes the place of bytes [begin, end) stands for the last character of them, as in Hugging Face.
void ReplaceMatch(Rewriter& rewriter, const Draft& in, size_t begin, size_t end, std::string_view content) {
  rewriter.Cut(begin, end).Put(content, in, end - 1, end);
}

}  // namespace

bool ReplaceString::Apply(const Draft& in, Draft& out) const {
  Rewriter rewriter(in, out);
  for (size_t at = 0; (at = in.bytes.find(pattern_, at)) != std::string::npos; at += pattern_.size()) {
    ReplaceMatch(rewriter, in, at, at + pattern_.size(), content_);
  }
  return rewriter.Finish();
}

bool ReplaceRuns::Apply(const Draft& in, Draft& out) const {
  const std::string_view text = in.bytes;
  Rewriter rewriter(in, out);
  // Of the run being read: characters [begin, end) that one match takes, and how many they are.
  size_t begin = 0, end = 0, count = 0;
  const auto match = [&] {
    // A character that becomes itself keeps its origin; a longer match does not.
    if (count >= run_.least && !(count == 1 && text.substr(begin, end - begin) == content_)) {
      ReplaceMatch(rewriter, in, begin, end, content_);
    }
    count = 0;
  };
  VisitCharacters(text, run_.set.leads(), [&](uint32_t c, size_t at, size_t next) {
    if (!run_.set.Contains(c)) return;
    if (at != end || count == run_.most) match();
    if (count == 0) begin = at;
    end = next;
    ++count;
  });
  match();
  return rewriter.Finish();
}

}  // namespace text
}  // namespace mmcore
