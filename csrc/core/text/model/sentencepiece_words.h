// SentencePieceWords: SentencePiece's models of words. A word begins at each space (U+2581) and is one id.
#ifndef MMCORE_CORE_TEXT_MODEL_SENTENCEPIECE_WORDS_H_
#define MMCORE_CORE_TEXT_MODEL_SENTENCEPIECE_WORDS_H_

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/model/model_spec.h"
#include "core/text/model/word_model.h"

namespace mmcore {
namespace text {

struct SentencePieceWordsOptions {
  std::vector<Piece> pieces;  // Texts stay alive as long as the model does.
  int32_t unknown_id = 0;
  std::vector<int32_t> byte_ids;  // Of the bytes of words that are no piece; empty: unknown_id.
};

class SentencePieceWords final : public WordModel {
 public:
  explicit SentencePieceWords(const SentencePieceWordsOptions& options);

  bool Encode(std::string_view word, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  void EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                        std::vector<Cut>& pieces) const override;

 private:
  template <typename Emit>
  bool Cover(std::string_view text, const Emit& emit) const;

  std::unordered_map<std::string_view, int32_t> ids_;
  int32_t unknown_id_;
  std::vector<int32_t> byte_ids_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_SENTENCEPIECE_WORDS_H_
