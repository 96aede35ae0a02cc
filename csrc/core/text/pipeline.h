// Pipeline: a definition run step by step: normalizers, splitters, a word model.
#ifndef MMCORE_CORE_TEXT_PIPELINE_H_
#define MMCORE_CORE_TEXT_PIPELINE_H_

#include <memory>
#include <optional>
#include <vector>

#include "core/text/model.h"
#include "core/text/model/word_model.h"
#include "core/text/normalize/steps.h"
#include "core/text/spec.h"
#include "core/text/split/mark.h"
#include "core/text/split/splitter.h"

namespace mmcore {
namespace text {

class Pipeline final : public Model {
 public:
  // Throws DataError. `spec` stays alive as long as this does.
  explicit Pipeline(const Spec& spec);

  TextPiece Normalize(const TextPiece& piece, Workspace& workspace) const override;
  bool Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const override;
  void EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                         std::vector<Offset>& offsets) const override;

 private:
  // One of both.
  struct Step {
    std::unique_ptr<const Splitter> splitter;
    std::optional<Marker> marker;
  };
  struct Words {
    TextPiece text;
    const std::vector<Cut>& cuts;
  };

  // The words after the first `steps` steps.
  Words CutWords(const TextPiece& piece, size_t steps, Workspace& workspace) const;
  bool EncodeWords(const TextPiece& text, const std::vector<Cut>& words, Workspace& workspace,
                   TokenSink& sink) const;
  bool EncodeLastStep(const TextPiece& text, const Cut& word, Workspace& workspace, TokenSink& sink) const;

  NormalizerSteps normalizers_;
  std::vector<Step> steps_;
  std::unique_ptr<const WordModel> model_;
  // A mark depends on which byte of the whole text a word begins with, and normalizers may drop some, or a mark
  // before it may stand for one.
  bool needs_origins_ = false;
};

// The model of a specification: fused where its parts are exactly those of GPT-2 or BERT. Throws DataError.
std::unique_ptr<const Model> MakeModel(const Spec& spec);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_PIPELINE_H_
