#include "core/text/train/word_counter.h"

#include <algorithm>
#include <string>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

// Calls use(text) with the text as valid UTF-8.
template <typename Use>
void Repaired(std::string_view text, const Use& use) {
  if (utf8::ValidPrefix(text) == text.size()) {
    use(text);
  } else {
    use(utf8::Repair(text));
  }
}

// The first line that begins at or after `at`.
size_t NextLine(std::string_view text, size_t at) {
  if (at == 0 || at >= text.size()) return std::min(at, text.size());
  const size_t end = text.find('\n', at - 1);
  return end == std::string_view::npos ? text.size() : end + 1;
}

}  // namespace

WordCounter::~WordCounter() = default;

void WordCounter::Feed(Span<const std::string_view> texts, Executor& executor) {
  const size_t shares = std::min(texts.size(), executor.concurrency());
  parts_.resize(std::max(parts_.size(), shares));
  executor.ParallelFor(shares, [&](size_t s) {
    for (size_t i = s; i < texts.size(); i += shares) {
      Repaired(texts[i], [&](std::string_view text) { CountWords(text, parts_[s]); });
    }
  });
}

bool WordCounter::FeedLines(LineReader& reader, Executor& executor) {
  const std::string_view block = reader.Next();
  if (block.empty()) return false;
  const size_t shares = executor.concurrency();
  parts_.resize(std::max(parts_.size(), shares));
  executor.ParallelFor(shares, [&](size_t s) {
    const size_t begin = NextLine(block, block.size() * s / shares);
    const size_t end = NextLine(block, block.size() * (s + 1) / shares);
    Repaired(block.substr(begin, end - begin), [&](std::string_view text) {
      for (size_t from = 0; from < text.size();) {
        const size_t to = NextLine(text, from + 1);
        CountWords(text.substr(from, to - from), parts_[s]);
        from = to;
      }
    });
  });
  return true;
}

const WordCounts& WordCounter::Gather() {
  if (parts_.empty()) parts_.resize(1);
  for (size_t i = 1; i < parts_.size(); ++i) parts_[0].Add(parts_[i]);
  parts_.resize(1);
  return parts_[0];
}

}  // namespace text
}  // namespace mmcore
