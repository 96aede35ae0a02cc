#include "core/text/decode/sentencepiece.h"

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

int HexDigit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// The byte that <0x41> spells, or -1.
int ByteOf(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  const int high = HexDigit(token[3]), low = HexDigit(token[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

// Each byte that begins no character becomes U+FFFD: not one for a maximal subpart, as everywhere else here.
void AppendBytes(std::string& bytes, std::string& text) {
  for (std::string_view rest = bytes; !rest.empty();) {
    const size_t valid = utf8::ValidPrefix(rest);
    text.append(rest.substr(0, valid));
    rest.remove_prefix(valid);
    if (rest.empty()) break;
    text.append("\xEF\xBF\xBD");
    rest.remove_prefix(1);
  }
  bytes.clear();
}

void AppendWithSpaces(std::string_view piece, std::string& text) {
  for (size_t at = 0;;) {
    const size_t mark = piece.find(kSpaceMark, at);
    text.append(piece.substr(at, mark - at));
    if (mark == std::string_view::npos) return;
    text.push_back(' ');
    at = mark + kSpaceMark.size();
  }
}

}  // namespace

void SentencePieceDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  std::string text, bytes;
  bool at_begin = true, dropped = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string_view token = tokens[i];
    const int byte = bytes_ ? ByteOf(token) : -1;
    if (byte >= 0) {
      bytes.push_back(static_cast<char>(byte));
      continue;
    }
    AppendBytes(bytes, text);
    at_begin = at_begin && !dropped && text.empty();
    dropped = false;
    if (token == unknown_) {
      text.append(surface_);
      continue;
    }
    if (at_begin && drop_first_ && token.substr(0, kSpaceMark.size()) == kSpaceMark) {
      token.remove_prefix(kSpaceMark.size());
      dropped = !drop_all_;
    }
    AppendWithSpaces(token, text);
  }
  AppendBytes(bytes, text);
  out.Add(text);
}

}  // namespace text
}  // namespace mmcore
