// SentencePieceDecoder: the text of pieces, as SentencePiece puts it together.
#ifndef MMCORE_CORE_TEXT_DECODE_SENTENCEPIECE_H_
#define MMCORE_CORE_TEXT_DECODE_SENTENCEPIECE_H_

#include <string>
#include <string_view>

#include "core/text/decode/decoder.h"

namespace mmcore {
namespace text {

class SentencePieceDecoder final : public Decoder {
 public:
  // `drop_first`: the mark (U+2581) that the text would begin with is dropped; with `drop_all` every such mark.
  // `bytes`: tokens <0x00> to <0xFF> are bytes. `surface` stands for the token `unknown`. Both stay alive.
  SentencePieceDecoder(bool drop_first, bool drop_all, bool bytes, std::string_view unknown,
                       std::string_view surface)
      : drop_first_(drop_first), drop_all_(drop_all), bytes_(bytes), unknown_(unknown), surface_(surface) {}

  void Apply(const TokenTexts& tokens, TokenTexts& out) const override;

 private:
  bool drop_first_, drop_all_, bytes_;
  std::string_view unknown_, surface_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_DECODE_SENTENCEPIECE_H_
