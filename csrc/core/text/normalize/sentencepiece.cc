#include "core/text/normalize/sentencepiece.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

// Where results go without origins. Room is made some kilobytes at a time: most words are shorter than what
// std::string does to append one.
class SentencePieceNormalizer::Bytes {
 public:
  Bytes(const Draft& in, Draft& out) : in_(in), out_(out.bytes) { Grow(in.bytes.size() + in.bytes.size() / 2); }

  void Keep(size_t begin, size_t end) { Put({in_.bytes.data() + begin, end - begin}, begin, end); }

  void Put(std::string_view text, size_t, size_t) {
    if (left_ < text.size()) Grow(text.size());
    left_ -= text.size();
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }

  void Finish() { out_.resize(Size()); }

 private:
  size_t Size() const { return static_cast<size_t>(to_ - out_.data()); }

  void Grow(size_t least) {
    const size_t size = to_ == nullptr ? 0 : Size();
    out_.resize(size + size / 2 + least + 32);
    to_ = out_.data() + size;
    left_ = out_.size() - size;
  }

  const Draft& in_;
  std::string& out_;
  char* to_ = nullptr;
  size_t left_ = 0;
};

class SentencePieceNormalizer::Tracked {
 public:
  Tracked(const Draft& in, Draft& out) : in_(in), out_(out) {}

  void Keep(size_t begin, size_t end) { out_.Keep(in_, begin, end); }
  void Put(std::string_view text, size_t begin, size_t end) { out_.Put(text, in_, begin, end); }
  void Finish() {}

 private:
  const Draft& in_;
  Draft& out_;
};

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceOptions& options)
    : prefix_(options.add_dummy_prefix && !options.space_as_suffix),
      suffix_(options.add_dummy_prefix && options.space_as_suffix),
      strip_(options.remove_extra_whitespaces),
      space_(options.escape_whitespaces ? kSpaceMark : " "),
      has_symbols_(!options.symbols.empty()),
      map_(options.charsmap.empty() ? CharsMap() : CharsMap(options.charsmap)),
      stay_{} {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    if (!map_.HasKeys(c)) {
      stay_[static_cast<size_t>(i)] = Stay::kAlways;
    } else if (IsAscii(c) && !map_.HasAsciiKeys(c)) {
      stay_[static_cast<size_t>(i)] = Stay::kBeforeAscii;
    }
  }
  for (const std::string_view symbol : options.symbols) {
    symbols_.Insert(symbol, 0);
    stay_[static_cast<unsigned char>(symbol[0])] = Stay::kMaybe;
  }
  space_stays_ = std::exchange(stay_[' '], Stay::kMaybe);
}

// Whether neither a symbol nor a key of the map begins at `at`, told from two bytes; false where it takes more.
inline bool SentencePieceNormalizer::Stays(Stay stay, std::string_view text, size_t at) {
  return stay == Stay::kAlways ||
         (stay == Stay::kBeforeAscii && (at + 1 == text.size() || IsAscii(text[at + 1])));
}

CharsMap::Rule SentencePieceNormalizer::Next(std::string_view text) const {
  if (has_symbols_) {
    const Trie::Match symbol = symbols_.Longest(text);
    if (symbol.id >= 0) return {text.substr(0, symbol.size), symbol.size};
  }
  const CharsMap::Rule rule = map_.Longest(text);
  if (rule.size != 0) return rule;
  const size_t size = utf8::DecodeValid(text.data()).size;
  return {text.substr(0, size), size};
}

// Writes what bytes [begin, end) become.
template <typename Out>
void SentencePieceNormalizer::WriteRule(std::string_view text, size_t begin, size_t end, Out& out) const {
  for (size_t i = 0; i < text.size();) {
    const size_t space = std::min(text.find(' ', i), text.size());
    if (space > i) out.Put(text.substr(i, space - i), begin, end);
    if (space < text.size()) out.Put(space_, begin, end);
    i = space + 1;
  }
}

template <typename Out>
void SentencePieceNormalizer::Write(const Draft& in, size_t begin, Out out) const {
  const std::string_view text = in.bytes;
  if (prefix_) out.Put(space_, begin, begin + 1);
  bool after_space = strip_;
  for (size_t at = begin; at < text.size();) {
    size_t end = at;
    while (end < text.size() && Stays(stay_[static_cast<unsigned char>(text[end])], text, end)) ++end;
    if (end > at) {
      out.Keep(at, end);
      at = end;
      after_space = false;
      continue;
    }
    if (text[at] == ' ' && Stays(space_stays_, text, at)) {
      if (!after_space) out.Put(space_, at, at + 1);
      after_space = strip_;
      ++at;
      continue;
    }
    CharsMap::Rule rule = Next(text.substr(at));
    while (after_space && !rule.text.empty() && rule.text[0] == ' ') rule.text.remove_prefix(1);
    WriteRule(rule.text, at, at + rule.size, out);
    if (!rule.text.empty()) after_space = strip_ && rule.text.back() == ' ';
    at += rule.size;
  }
  out.Finish();
}

bool SentencePieceNormalizer::Apply(const Draft& in, Draft& out) const {
  const std::string_view text = in.bytes;
  size_t begin = 0;
  while (strip_ && begin < text.size()) {
    const CharsMap::Rule rule = Next(text.substr(begin));
    if (rule.text != " ") break;
    begin += rule.size;
  }
  if (begin == text.size()) return true;
  if (in.tracked) {
    Write(in, begin, Tracked(in, out));
  } else {
    Write(in, begin, Bytes(in, out));
  }
  while (strip_ && EndsWith(out.bytes, space_)) out.bytes.resize(out.bytes.size() - space_.size());
  if (out.tracked) out.origins.resize(out.bytes.size());
  if (suffix_) out.Put(space_, in, text.size() - 1, text.size());
  return true;
}

}  // namespace text
}  // namespace mmcore
