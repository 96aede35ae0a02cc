#include "core/text/split/splitters.h"

#include <utility>

#include "core/base/errors.h"
#include "core/base/unicode_tables.h"
#include "core/text/split/block_words.h"
#include "core/text/split/han_scanner.h"
#include "core/text/split/scanned.h"
#include "core/text/split/scanners.h"

namespace mmcore {
namespace text {
namespace {

constexpr size_t kAny = SIZE_MAX;

// White space is dropped, punctuation stands alone.
class Bert final : public Splitter {
 public:
  void Split(std::string_view text, size_t begin, size_t end, std::vector<Cut>& words) const override {
    size_t word = begin;
    const auto end_word = [&](size_t at) {
      if (word != at) words.push_back({word, at});
    };
    for (size_t at = begin; at < end;) {
      const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
      const size_t next = at + c.size;
      const uint8_t flags = unicode::Flags(c.code_point);
      if (flags & (unicode::kSpace | unicode::kPunctuation)) {
        end_word(at);
        if (!(flags & unicode::kSpace)) words.push_back({at, next});
        word = next;
      }
      at = next;
    }
    end_word(end);
  }
};

// The words that are found block by block. `keeps_spaces`: so are white-space words, which for some patterns are
// matches and for others lie between them.
template <typename Starts>
class OfBlocks final : public Splitter {
 public:
  explicit OfBlocks(bool keeps_spaces) : keeps_spaces_(keeps_spaces) {}

  void Split(std::string_view text, size_t begin, size_t end, std::vector<Cut>& words) const override {
    SplitSome(text, begin, end, kAny, words);
  }

  size_t SplitSome(std::string_view text, size_t begin, size_t end, size_t most,
                   std::vector<Cut>& words) const override {
    const char* const base = text.data();
    const char* stop = base + begin;
    ForEachWord<Starts>(isa_, stop, base + end, [&](const char* from, const char* to) {
      if (keeps_spaces_ || !(words::CharAt(from).classes & words::kSpace)) {
        words.push_back({static_cast<size_t>(from - base), static_cast<size_t>(to - base)});
      }
      stop = to;
      return words.size() < most;
    });
    return static_cast<size_t>(stop - base);
  }

 private:
  const Isa isa_ = ActiveIsa();
  const bool keeps_spaces_;
};

// CLIP's pattern with the names of special tokens, of which texts hardly have one: a match that begins as one is
// cut where the name ends, and the rest is looked at anew. `cuts_names`: as GPT-2's pattern cuts the words of this
// one: names in three, "<|", letters and "|>"; the others are runs of one class and stay whole.
class Clip final : public Splitter {
 public:
  explicit Clip(bool cuts_names) : cuts_names_(cuts_names) {}

  void Split(std::string_view text, size_t begin, size_t end, std::vector<Cut>& words) const override {
    SplitSome(text, begin, end, kAny, words);
  }

  size_t SplitSome(std::string_view text, size_t begin, size_t end, size_t most,
                   std::vector<Cut>& words) const override {
    const char* const base = text.data();
    const char *stop = base + begin, *const last = base + end;
    while (stop < last && words.size() < most) {
      ForEachWord<ClipStarts>(isa_, stop, last, [&](const char* from, const char* to) {
        stop = to;
        if (words::CharAt(from).classes & words::kSpace) return true;
        const size_t name = ClipScanner::NameSize({from, static_cast<size_t>(last - from)});
        if (name != 0) stop = from + name;
        const auto word = static_cast<size_t>(from - base), word_end = static_cast<size_t>(stop - base);
        if (name != 0 && cuts_names_) {
          words.insert(words.end(), {{word, word + 2}, {word + 2, word_end - 2}, {word_end - 2, word_end}});
        } else {
          words.push_back({word, word_end});
        }
        return name == 0 && words.size() < most;
      });
    }
    return static_cast<size_t>(stop - base);
  }

 private:
  const Isa isa_ = ActiveIsa();
  const bool cuts_names_;
};

class FixedLength final : public Splitter {
 public:
  explicit FixedLength(size_t length) : length_(length) {}

  void Split(std::string_view text, size_t begin, size_t end, std::vector<Cut>& words) const override {
    size_t count = 0, word = begin;
    for (size_t at = begin; at < end; ++at) {
      if (utf8::IsContinuation(text[at])) continue;
      if (count++ % length_ != 0 || at == begin) continue;
      words.push_back({word, at});
      word = at;
    }
    if (word < end) words.push_back({word, end});
  }

 private:
  const size_t length_;
};

LineRules Digits(size_t most) {
  LineRules rules{};
  rules.max_digits = most;
  rules.letters = words::kLetter;
  return rules;
}

LineRules WithSlashes(LineRules rules) {
  rules.slashes = true;
  return rules;
}

LineRules WithMarks(LineRules rules) {
  rules.letters = words::kBoth;
  return rules;
}

LineRules WholeAtEnd(LineRules rules) {
  rules.whole_at_end = true;
  return rules;
}

}  // namespace

std::unique_ptr<Splitter> SplitPattern(Pattern pattern, Behaviour behaviour, bool invert) {
  const auto make = [&](auto scanner) { return MakeScanned(std::move(scanner), behaviour, invert); };
  const bool isolated = behaviour == Behaviour::kIsolated, matches = behaviour == Behaviour::kRemoved && invert;
  switch (pattern) {
    case Pattern::kGpt2:
      if (isolated || matches) return std::make_unique<OfBlocks<Gpt2Starts>>(true);
      return make(Gpt2Scanner{});
    case Pattern::kClip:
      if (isolated || matches) return std::make_unique<OfBlocks<ClipStarts>>(isolated);
      return make(ClipScanner{false});
    case Pattern::kClipWithNames:
      if (matches) return std::make_unique<Clip>(/*cuts_names=*/false);
      return make(ClipScanner{true});
    case Pattern::kCl100k: return make(LineScanner{Digits(3)});
    case Pattern::kCl100kTiktoken: return make(LineScanner{WholeAtEnd(Digits(3))});
    case Pattern::kCl100kOniguruma: return make(LineScanner{WholeAtEnd(Digits(kAny))});
    case Pattern::kQwen2: return make(LineScanner{Digits(1)});
    case Pattern::kQwen35: return make(LineScanner{WithMarks(Digits(1))});
    case Pattern::kO200k: return make(CasedScanner{WithSlashes(Digits(3)), true});
    case Pattern::kTekken: return make(CasedScanner{WithSlashes(Digits(1)), false});
    case Pattern::kSpaces: return make(ClassScanner{words::kSpace, kAny});
    case Pattern::kDigitGroups: return make(ClassScanner{words::kNumber, 3});
    case Pattern::kDigit: return make(ClassScanner{words::kNumber, 1});
    case Pattern::kDeepSeek: return make(DeepSeekScanner{});
    case Pattern::kCjk: return make(CjkScanner{});
    case Pattern::kKimi: return make(KimiScanner{{Digits(3), true}});
    case Pattern::kCount: break;
  }
  throw InvalidArgument("unknown pattern of Split");
}

std::unique_ptr<Splitter> SplitClipAndGpt2(bool names) {
  if (names) return std::make_unique<Clip>(/*cuts_names=*/true);
  return std::make_unique<OfBlocks<ClipStarts>>(false);
}

std::unique_ptr<Splitter> SplitLiteral(std::string literal, Behaviour behaviour, bool invert) {
  if (literal.empty()) throw InvalidArgument("the string to split at must not be empty");
  return MakeScanned(LiteralScanner{std::move(literal)}, behaviour, invert);
}

std::unique_ptr<Splitter> SplitWhitespace() { return MakeScanned(WhitespaceScanner{}, Behaviour::kRemoved, true); }

std::unique_ptr<Splitter> SplitOnWhitespace() {
  return std::make_unique<OfBlocks<SpaceStarts>>(false);
}

std::unique_ptr<Splitter> SplitPunctuation(Behaviour behaviour) {
  return MakeScanned(PunctuationScanner{}, behaviour);
}

std::unique_ptr<Splitter> SplitDigits(bool individual) {
  return MakeScanned(ClassScanner{words::kNumeric, 1}, individual ? Behaviour::kIsolated : Behaviour::kContiguous);
}

std::unique_ptr<Splitter> SplitBert() { return std::make_unique<Bert>(); }

std::unique_ptr<Splitter> SplitFixedLength(size_t length) {
  if (length == 0) throw InvalidArgument("the length of words must be at least 1, got 0");
  return std::make_unique<FixedLength>(length);
}

}  // namespace text
}  // namespace mmcore
