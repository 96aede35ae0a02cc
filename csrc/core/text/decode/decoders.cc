#include "core/text/decode/decoders.h"

#include <string>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Writes `token` with `to` in place of each `from`, which is not empty.
void WriteReplaced(std::string_view token, std::string_view from, std::string_view to, TokenTexts& out) {
  size_t done = 0;
  for (size_t at; (at = token.find(from, done)) != std::string_view::npos; done = at + from.size()) {
    out.Write(token.substr(done, at - done));
    out.Write(to);
  }
  out.Write(token.substr(done));
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// What Hugging Face's WordPiece decoder does to each token, in this order.
void CleanUp(std::string& token) {
  static constexpr std::string_view kRules[][2] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& rule : kRules) ReplaceAll(token, rule[0], rule[1]);
}

// The value of a hexadecimal digit, -1 for anything else.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte of "<0xE2>", -1 for any other token. "<0x+5>" is one too: that is how Rust reads numbers.
int FallbackByte(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  const int low = HexDigit(token[4]);
  if (low < 0 || token[3] == '+') return low;
  const int high = HexDigit(token[3]);
  return high < 0 ? -1 : 16 * high + low;
}

}  // namespace

void ByteLevelDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  if (tokens.size() != 0) out.Add(utf8::Repair(tokens.joined()));
}

void WordPieceDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    const bool goes_on = i != 0 && token.substr(0, prefix_.size()) == prefix_;
    text.assign(i != 0 && !goes_on ? " " : "");
    text += goes_on ? token.substr(prefix_.size()) : token;
    if (cleanup_) CleanUp(text);
    out.Add(text);
  }
}

void MetaspaceDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    WriteReplaced(tokens[i], mark_, i == 0 && drop_first_ ? "" : " ", out);
    out.End();
  }
}

void BpeDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    WriteReplaced(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ", out);
    out.End();
  }
}

void ReplaceDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    WriteReplaced(tokens[i], from_, to_, out);
    out.End();
  }
}

void ByteFallbackDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (utf8::ValidPrefix(bytes) == bytes.size()) {
      out.Add(bytes);
    } else {
      for (size_t i = 0; i < bytes.size(); ++i) out.Add(kReplacement);
    }
    bytes.clear();
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int byte = FallbackByte(tokens[i]);
    if (byte >= 0) {
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
      continue;
    }
    flush();
    out.Add(tokens[i]);
  }
  flush();
}

void FuseDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const { out.Add(tokens.joined()); }

void StripDecoder::Apply(const TokenTexts& tokens, TokenTexts& out) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string_view token = tokens[i];
    const auto begins = [&] { return token.substr(0, character_.size()) == character_; };
    const auto ends = [&] {
      return token.size() >= character_.size() && token.substr(token.size() - character_.size()) == character_;
    };
    for (size_t n = 0; n < at_begin_ && begins(); ++n) token.remove_prefix(character_.size());
    for (size_t n = 0; n < at_end_ && ends(); ++n) token.remove_suffix(character_.size());
    out.Add(token);
  }
}

}  // namespace text
}  // namespace mmcore
