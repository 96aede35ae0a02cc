// The known patterns as scanners over valid UTF-8, one struct a pattern. Each has
//   Match Next(const char* p, const char* end) const
// the first match at or after `p` < `end`, begin = end = `end` where there is none. No scanner goes back further
// than a fixed number of times over the same byte, so all take linear time on any text.
#ifndef MMCORE_CORE_TEXT_SPLIT_SCANNERS_H_
#define MMCORE_CORE_TEXT_SPLIT_SCANNERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text/gpt2_pattern.h"
#include "core/text/split/word_tables.h"

namespace mmcore {
namespace text {

struct Match {
  const char *begin, *end;
};

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct Gpt2Scanner {
  Match Next(const char* p, const char* end) const { return {p, gpt2::Next(p, end)}; }
};

// (?i:'s|'t|'re|'ve|'m|'ll|'d): bytes of the contraction that begins at `p`, 0 where there is none. The long s
// (U+017F) is an s without its case.
inline size_t AnyCaseContraction(const char* p, const char* end) {
  const auto at = [&](ptrdiff_t i) { return i < end - p ? static_cast<unsigned char>(p[i]) : 0u; };
  if (at(0) != '\'') return 0;
  const auto lower = [&](ptrdiff_t i) { return at(i) | 0x20u; };
  switch (lower(1)) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 2;
    case 'r':
    case 'v': return lower(2) == 'e' ? 3 : 0;
    case 'l': return lower(2) == 'l' ? 3 : 0;
    default: return at(1) == 0xC5 && at(2) == 0xBF ? 3 : 0;
  }
}

// \s*[\r\n]+|\s+(?!\S)|\s+ at white space: up to its last line break; without one all of it at the end of the
// text, else all but its last character.
inline const char* LineSpaceEnd(const char* p, const char* end, bool whole_at_end) {
  const char* last_newline = nullptr;
  const char* run = p;
  while (run < end) {
    const words::Char c = words::CharAt(run);
    if (!(c.classes & words::kSpace)) break;
    run += c.size;
    if (c.classes & words::kNewline) last_newline = run;
  }
  if (run == end && whole_at_end) return run;
  if (last_newline != nullptr) return last_newline;
  if (run == end) return run;
  const char* last = words::Previous(run);
  return last == p ? run : last;
}

// The end of up to `most` characters of class `wanted` from `p`.
inline const char* AtMost(size_t most, uint16_t wanted, const char* p, const char* end) {
  for (size_t i = 0; i < most && p < end; ++i) {
    const words::Char c = words::CharAt(p);
    if (!(c.classes & wanted)) break;
    p += c.size;
  }
  return p;
}

// What the patterns since cl100k share, but for words:
//   \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
struct LineRules {
  size_t max_digits;  // 3 or 1.
  uint16_t letters = words::kLetter;  // kBoth: marks are letters too, and no symbols.
  bool slashes = false;              // [\r\n/]* instead of [\r\n]*.
  bool whole_at_end = false;         // \s++$ goes before \s*[\r\n], as tiktoken has it.

  // The match that begins at `p`, whose first character is `first`.
  const char* End(words::Char first, const char* p, const char* end) const {
    if (first.classes & words::kNumber) return AtMost(max_digits, words::kNumber, p, end);
    const char* symbols = *p == ' ' ? p + 1 : p;
    const char* run = words::RunWithout(letters | words::kNumber | words::kSpace, symbols, end);
    if (run == symbols) return LineSpaceEnd(p, end, whole_at_end);
    while (run < end && (*run == '\r' || *run == '\n' || (slashes && *run == '/'))) ++run;
    return run;
  }
};

// cl100k, Llama 3, Qwen 2:
//   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|...
// The first character is no prefix where it is a letter itself; that it may be a mark changes nothing.
struct LineScanner {
  LineRules rules;

  Match Next(const char* p, const char* end) const { return {p, End(p, end)}; }

  const char* End(const char* p, const char* end) const {
    if (const size_t size = AnyCaseContraction(p, end)) return p + size;
    const words::Char first = words::CharAt(p);
    const char* word = first.classes & (words::kNoPrefix | rules.letters) ? p : p + first.size;
    const char* run = words::RunWith(rules.letters, words::SkipAsciiLetters('a', 0x20, word, end), end);
    return run != word ? run : rules.End(first, p, end);
  }
};

// o200k, Llama 4, and Mistral's without contractions; a word is written Like or LIKE, not LIKEThis:
//   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|
//   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|...
template <words::Char (*CharAt)(const char*)>
struct CasedScannerOf {
  LineRules rules;
  bool contractions;

  Match Next(const char* p, const char* end) const { return {p, End(p, end)}; }

  const char* End(const char* p, const char* end) const {
    const words::Char first = CharAt(p);
    const bool may_prefix = !(first.classes & words::kNoPrefix);
    Word word = WordEnd(may_prefix ? p + first.size : p, end);
    // A mark may be the prefix of a word or the word itself; the second is tried before a word in capitals.
    if (!word.lower && may_prefix && (first.classes & words::kBoth)) word = WordEnd(p, end);
    if (word.end == nullptr) return rules.End(first, p, end);
    return contractions ? word.end + AnyCaseContraction(word.end, end) : word.end;
  }

 private:
  struct Word {
    const char* end;  // nullptr: no word.
    bool lower;       // By the first alternative, which wants a letter that may be lower case.
  };

  // The letters and marks of both alternatives, from `p`.
  static Word WordEnd(const char* p, const char* end) {
    const char* lower_end = nullptr;  // Behind the last character of the run that may be lower case.
    const char* run = p;
    while (run < end) {
      const words::Char c = CharAt(run);
      if (!(c.classes & words::kUpper)) break;
      run += c.size;
      if (c.classes & words::kLower) lower_end = run;
    }
    const char* lower_run = words::SkipAsciiLetters('a', 0, run, end);
    while (lower_run < end) {
      const words::Char c = CharAt(lower_run);
      if (!(c.classes & words::kLower)) break;
      lower_run += c.size;
    }
    if (lower_run != run) return {lower_run, true};
    if (lower_end != nullptr) return {lower_end, true};
    return {run == p ? nullptr : run, false};
  }
};
using CasedScanner = CasedScannerOf<words::CharAt>;

// CLIP's:
//   <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
struct ClipScanner {
  bool names;  // The first two alternatives are there.

  Match Next(const char* p, const char* end) const {
    p = words::RunWith(words::kSpace, p, end);
    return {p, p == end ? end : End(p, end)};
  }

  // Bytes of the name that `text` begins with, 0 where it does with none.
  static size_t NameSize(std::string_view text) {
    if (text[0] != '<') return 0;
    for (const std::string_view name : {"<|startoftext|>", "<|endoftext|>"}) {
      if (text.substr(0, name.size()) == name) return name.size();
    }
    return 0;
  }

 private:
  const char* End(const char* p, const char* end) const {
    if (names) {
      if (const size_t size = NameSize({p, static_cast<size_t>(end - p)})) return p + size;
    }
    if (*p == '\'') {
      if (const size_t size = gpt2::ContractionSize(p, end)) return p + size;
    }
    const words::Char first = words::CharAt(p);
    if (first.classes & words::kNumber) return p + first.size;
    if (first.classes & words::kLetter) return words::RunWith(words::kLetter, p, end);
    return words::RunWithout(words::kPlain, p, end);
  }
};

// The third pattern of DeepSeek V3:
//   [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|
//   \s*[\r\n]+|\s+(?!\S)|\s+
// Numbers and control characters are in no match, but where letters follow.
struct DeepSeekScanner {
  Match Next(const char* p, const char* end) const {
    for (; p < end; p += words::CharAt(p).size) {
      const char* const to = End(p, end);
      if (to != p) return {p, to};
    }
    return {end, end};
  }

 private:
  // `p` where no match begins there.
  static const char* End(const char* p, const char* end) {
    const words::Char first = words::CharAt(p);
    if (first.size == 1 && (first.classes & words::kSymbol)) {
      const char* const run = AsciiLettersEnd(p + 1, end);
      if (run != p + 1) return run;
    }
    constexpr uint16_t kNoPrefixHere = words::kLetter | words::kSymbol | words::kNewline | words::kBoth;
    const char* const word = first.classes & kNoPrefixHere ? p : p + first.size;
    const char* run = words::RunWith(words::kBoth, words::SkipAsciiLetters('a', 0x20, word, end), end);
    if (run != word) return run;
    const char* const symbols = *p == ' ' ? p + 1 : p;
    run = words::RunWith(words::kSymbol, symbols, end);
    if (run != symbols) return words::RunWith(words::kNewline, run, end);
    return first.classes & words::kSpace ? LineSpaceEnd(p, end, false) : p;
  }

  static const char* AsciiLettersEnd(const char* p, const char* end) {
    p = words::SkipAsciiLetters('a', 0x20, p, end);
    while (p < end && !(*p & 0x80) && (words::CharAt(p).classes & words::kLetter)) ++p;
    return p;
  }
};

// [\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+, the second one.
struct CjkScanner {
  Match Next(const char* p, const char* end) const {
    while (p < end && !IsCjk(p)) p += words::CharAt(p).size;
    const char* run = p;
    while (run < end && IsCjk(run)) run += 3;
    return {p, run};
  }

 private:
  static bool IsCjk(const char* p) {
    const uint32_t c = utf8::DecodeValid(p).code_point;
    return (c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF);
  }
};

// \w+|[^\w\s]+
struct WhitespaceScanner {
  Match Next(const char* p, const char* end) const {
    p = words::RunWith(words::kSpace, p, end);
    if (p == end) return {end, end};
    const bool word = words::CharAt(p).classes & words::kWord;
    return {p, word ? words::RunWith(words::kWord, words::SkipAsciiLetters('a', 0x20, p, end), end)
                    : words::RunWithout(words::kWord | words::kSpace, p, end)};
  }
};

// Each single character with a class of `wanted`, or each run of up to `most` of them.
struct ClassScanner {
  uint16_t wanted;
  size_t most;

  Match Next(const char* p, const char* end) const {
    p = words::RunWithout(wanted, p, end);
    return {p, AtMost(most, wanted, p, end)};
  }
};

// What BERT splits off as punctuation, one by one.
struct PunctuationScanner {
  Match Next(const char* p, const char* end) const {
    while (p < end) {
      const utf8::Decoded c = utf8::DecodeValid(p);
      if (unicode::Flags(c.code_point) & unicode::kPunctuation) return {p, p + c.size};
      p += c.size;
    }
    return {end, end};
  }
};

// A string, not empty.
struct LiteralScanner {
  std::string literal;

  Match Next(const char* p, const char* end) const {
    const size_t at = std::string_view(p, static_cast<size_t>(end - p)).find(literal);
    if (at == std::string_view::npos) return {end, end};
    return {p + at, p + at + literal.size()};
  }
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_SCANNERS_H_
