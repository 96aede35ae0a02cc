// The decoders of Hugging Face's tokenizers, each with what it does there, case for case.
#ifndef MMCORE_CORE_TEXT_DECODE_DECODERS_H_
#define MMCORE_CORE_TEXT_DECODE_DECODERS_H_

#include <cstddef>
#include <string_view>

#include "core/text/decode/decoder.h"

namespace mmcore {
namespace text {

// All tokens, which are bytes by now, as one text.
class ByteLevelDecoder final : public Decoder {
 public:
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;
};

// Words apart by spaces; tokens that go on lose their prefix; spaces before punctuation go where `cleanup`.
class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string_view prefix, bool cleanup) : prefix_(prefix), cleanup_(cleanup) {}
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;

 private:
  std::string_view prefix_;
  bool cleanup_;
};

// Marks are spaces; those of the first token are dropped where `drop_first`.
class MetaspaceDecoder final : public Decoder {
 public:
  MetaspaceDecoder(std::string_view mark, bool drop_first) : mark_(mark), drop_first_(drop_first) {}
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;

 private:
  std::string_view mark_;
  bool drop_first_;
};

// The suffix that ends words is a space, in the last token nothing.
class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string_view suffix) : suffix_(suffix) {}
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;

 private:
  std::string_view suffix_;
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(std::string_view from, std::string_view to) : from_(from), to_(to) {}
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;

 private:
  std::string_view from_, to_;
};

// Tokens <0x00> to <0xFF> in a row are one text; where that is not UTF-8, each of them is U+FFFD.
class ByteFallbackDecoder final : public Decoder {
 public:
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;
};

// All tokens as one.
class FuseDecoder final : public Decoder {
 public:
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;
};

// Drops a character from both ends of each token, so many times at most.
class StripDecoder final : public Decoder {
 public:
  StripDecoder(std::string_view character, size_t at_begin, size_t at_end)
      : character_(character), at_begin_(at_begin), at_end_(at_end) {}
  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;

 private:
  std::string_view character_;
  size_t at_begin_, at_end_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_DECODE_DECODERS_H_
