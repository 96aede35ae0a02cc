#include "core/text/added_tokens.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/errors.h"
#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

uint32_t CodePointBefore(std::string_view text, size_t* at) {
  do {
    --*at;
  } while (utf8::IsContinuation(text[*at]));
  return utf8::DecodeValid(text.data() + *at).code_point;
}

// \w of a regular expression: letters, marks, numbers, connecting punctuation.
bool IsWordCharacter(uint32_t c) {
  return c == '_' || (unicode::Flags(c) & (unicode::kLetter | unicode::kNumber | unicode::kMark)) != 0;
}

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

void AddedTokens::Group::Add(const AddedToken& token) {
  by_first_byte[static_cast<unsigned char>(token.content[0])].push_back(&token);
  ++size;
}

void AddedTokens::Group::Finish() {
  size_t used = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    auto& tokens = by_first_byte[byte];
    std::stable_sort(tokens.begin(), tokens.end(), [](const AddedToken* a, const AddedToken* b) {
      return a->content.size() > b->content.size();
    });
    if (tokens.empty()) continue;
    only_first_byte = static_cast<int>(byte);
    ++used;
  }
  if (used != 1) only_first_byte = -1;
}

size_t AddedTokens::Group::NextCandidate(std::string_view text, size_t from) const {
  if (only_first_byte >= 0) {
    const void* found = std::memchr(text.data() + from, only_first_byte, text.size() - from);
    return found == nullptr ? text.size()
                            : static_cast<size_t>(static_cast<const char*>(found) - text.data());
  }
  while (from < text.size() && by_first_byte[static_cast<unsigned char>(text[from])].empty()) ++from;
  return from;
}

const AddedToken* AddedTokens::Group::LongestAt(std::string_view text, size_t at) const {
  for (const AddedToken* token : by_first_byte[static_cast<unsigned char>(text[at])]) {
    if (text.compare(at, token->content.size(), token->content) == 0) return token;
  }
  return nullptr;
}

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens) : tokens_(tokens) {
  for (const AddedToken& token : tokens) (token.late ? late_ : early_).Add(token);
  early_.Finish();
  late_.Finish();
}

AddedTokens::Match AddedTokens::Find(const Group& group, std::string_view text, size_t floor, size_t* cursor,
                                     SpecialText rule) {
  for (size_t at = *cursor; (at = group.NextCandidate(text, at)) < text.size();) {
    const AddedToken* token = group.LongestAt(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    const size_t begin = at, end = at + token->content.size();
    at = end;
    if (token->special && rule == SpecialText::kText) continue;
    if (token->single_word && TouchesWord(text, begin, end)) continue;
    if (token->special && rule == SpecialText::kError) {
      throw InvalidArgument(
          "the text contains the special token " + std::string(token->content) +
          "; pass special=\"parse\" to make it one, or special=\"text\" to encode its letters");
    }
    *cursor = end;
    return {token, token->lstrip ? SkipSpaceBackward(text, begin, floor) : begin,
            token->rstrip ? SkipSpaceForward(text, end) : end};
  }
  return {nullptr, 0, 0};
}

}  // namespace text
}  // namespace mmcore
