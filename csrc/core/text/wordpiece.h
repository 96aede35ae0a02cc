// BERT's tokenizer, fused: words found by BertNormalizer and cut by WordPieceModel in one pass over the text.
#ifndef MMCORE_CORE_TEXT_WORDPIECE_H_
#define MMCORE_CORE_TEXT_WORDPIECE_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/text/bert_normalizer.h"
#include "core/text/model.h"
#include "core/text/model/word_piece.h"

namespace mmcore {
namespace text {

class BertWordPiece final : public Model {
 public:
  BertWordPiece(const BertOptions& options, const WordPieceSpec& spec) : options_(options), model_(spec) {}

  bool Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const override;
  void EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                         std::vector<Offset>& offsets) const override;

 private:
  struct Collector;
  struct OffsetCollector;

  bool EncodeAscii(std::string_view word, bool lower, const char* readable_end, Workspace& workspace,
                   TokenSink& sink) const;
  bool EncodeNormalized(std::string_view word, size_t chars, Workspace& workspace, TokenSink& sink) const;

  const BertOptions options_;
  const WordPieceModel model_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORDPIECE_H_
