#include "core/text/added_tokens.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/errors.h"
#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"
#include "core/text/split/word_tables.h"

namespace mmcore {
namespace text {
namespace {

uint32_t CodePointBefore(std::string_view text, size_t* at) {
  do {
    --*at;
  } while (utf8::IsContinuation(text[*at]));
  return utf8::DecodeValid(text.data() + *at).code_point;
}

// \w of the regular expressions that Hugging Face asks.
bool IsWordCharacter(uint32_t c) { return (words::Classes(c) & words::kWord) != 0; }

bool TouchesWord(std::string_view text, size_t begin, size_t end) {
  if (end < text.size() && IsWordCharacter(utf8::DecodeValid(text.data() + end).code_point)) return true;
  return begin > 0 && IsWordCharacter(CodePointBefore(text, &begin));
}

size_t SkipSpaceBackward(std::string_view text, size_t at, size_t floor) {
  while (at > floor) {
    size_t before = at;
    if (!(unicode::Flags(CodePointBefore(text, &before)) & unicode::kSpace)) break;
    at = before;
  }
  return at;
}

size_t SkipSpaceForward(std::string_view text, size_t at) {
  while (at < text.size()) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    if (!(unicode::Flags(c.code_point) & unicode::kSpace)) break;
    at += c.size;
  }
  return at;
}

}  // namespace

void AddedTokens::Add(const AddedToken& token, std::string_view content) {
  const Trie::Match known = contents_.Longest(content);
  if (known.id >= 0 && known.size == content.size()) return;
  const auto first = static_cast<unsigned char>(content[0]);
  if (tokens_.empty()) {
    only_first_byte_ = first;
  } else if (only_first_byte_ != first) {
    only_first_byte_ = -1;
  }
  is_first_byte_[first] = true;
  contents_.Insert(content, static_cast<int32_t>(tokens_.size()));
  tokens_.push_back(&token);
}

size_t AddedTokens::NextCandidate(std::string_view text, size_t from) const {
  if (only_first_byte_ >= 0) {
    const void* found = std::memchr(text.data() + from, only_first_byte_, text.size() - from);
    return found == nullptr ? text.size()
                            : static_cast<size_t>(static_cast<const char*>(found) - text.data());
  }
  while (from < text.size() && !is_first_byte_[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

size_t AddedTokens::SwallowForward(std::string_view text, size_t at, Progress& progress) const {
  if (at >= progress.space_end) progress.space_end = SkipSpaceForward(text, at);
  return progress.space_end;
}

AddedTokens::Match AddedTokens::Find(const TextPiece& piece, const SpecialRule& rule, Progress& progress) const {
  const std::string_view text = piece.text;
  for (size_t at = progress.cursor; at < text.size() && (at = NextCandidate(text, at)) < text.size();) {
    const Trie::Match longest = contents_.Longest(text.substr(at));
    if (longest.id < 0) {
      ++at;
      continue;
    }
    const AddedToken* const token = tokens_[static_cast<size_t>(longest.id)];
    const size_t begin = at, end = at + longest.size;
    at = end;
    if (token->special && rule.IsText(piece, begin, end)) continue;
    if (token->single_word && TouchesWord(text, begin, end)) continue;
    if (token->special && rule.rule == SpecialText::kError) {
      throw InvalidArgument(
          "the text contains the special token " + std::string(token->content) +
          "; pass special=\"parse\" to make it one, or special=\"text\" to encode its letters");
    }
    progress.cursor = end;
    const size_t floor = progress.done;
    Match match{token, begin, token->rstrip ? SwallowForward(text, end, progress) : end};
    if (token->lstrip) match.begin = std::max(floor, SkipSpaceBackward(text, begin, floor));
    if (match.begin <= match.end) progress.done = match.end;
    return match;
  }
  return {nullptr, 0, 0};
}

}  // namespace text
}  // namespace mmcore
