#include "core/text/split/mark.h"

#include <cstring>
#include <string>

#include "core/base/utf8.h"
#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {
namespace {

// The next space of `word` at `from` or later, else the word's end.
size_t FindSpace(std::string_view text, size_t from, const Cut& word) {
  const void* found = from == word.end ? nullptr : std::memchr(text.data() + from, ' ', word.end - from);
  return found == nullptr ? word.end : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

// The end of the character of valid UTF-8 that begins at `at`.
size_t CharacterEnd(std::string_view text, size_t at) {
  return at + utf8::DecodeValid(text.data() + at).size;
}

void Put(std::string_view bytes, const TextPiece& text, size_t begin, size_t end, Draft& out) {
  out.bytes.append(bytes);
  if (!out.tracked) return;
  out.origins.insert(out.origins.end(), bytes.size(), {text.origins[begin].begin, text.origins[end - 1].end});
}

void Keep(const TextPiece& text, size_t begin, size_t end, Draft& out) {
  out.bytes.append(text.text, begin, end - begin);
  if (out.tracked) out.origins.insert(out.origins.end(), text.origins + begin, text.origins + end);
}

}  // namespace

Marker::Marker(const Part& part) {
  SpecReader in(part.fields, " of a mark");
  replace_spaces_ = in.U32() & 1;
  const uint32_t where = in.U32();
  if (where > static_cast<uint32_t>(Where::kAlways)) {
    in.Fail("has a mark at the unknown place " + std::to_string(where));
  }
  where_ = static_cast<Where>(where);
  mark_ = in.Utf8();
  // A longer one with spaces in it could make a text many times as long, again with each step.
  if (mark_.empty() || CharacterEnd(mark_, 0) != mark_.size()) in.Fail("has a mark that is not one character");
  in.ExpectEnd();
}

bool Marker::NeedsMark(const TextPiece& text, const Cut& word) const {
  if (where_ == Where::kNever) return false;
  const std::string_view rest = text.text.substr(word.begin, word.end - word.begin);
  if (rest.substr(0, mark_.size()) == mark_ || (replace_spaces_ && rest[0] == ' ')) return false;
  if (where_ == Where::kAlways) return true;
  return text.origins != nullptr ? text.origins[word.begin].begin == 0 : text.at_start && word.begin == 0;
}

void Marker::Apply(const TextPiece& text, const std::vector<Cut>& words, Draft& out,
                   std::vector<Cut>& marked) const {
  for (const Cut& word : words) {
    const size_t begin = out.bytes.size();
    if (NeedsMark(text, word)) Put(mark_, text, word.begin, CharacterEnd(text.text, word.begin), out);
    size_t done = word.begin;
    while (replace_spaces_) {
      const size_t space = FindSpace(text.text, done, word);
      Keep(text, done, space, out);
      done = space;
      if (done == word.end) break;
      Put(mark_, text, done, done + 1, out);
      ++done;
    }
    Keep(text, done, word.end, out);
    marked.push_back({begin, out.bytes.size()});
  }
}

}  // namespace text
}  // namespace mmcore
