// Byte-level BPE with GPT-2's pattern: words are found and encoded in one pass over the text, exactly as
// Hugging Face does it.
#ifndef MMCORE_CORE_TEXT_BPE_H_
#define MMCORE_CORE_TEXT_BPE_H_

#include <string_view>
#include <vector>

#include "core/base/cpu.h"
#include "core/text/model.h"
#include "core/text/model/bpe.h"

namespace mmcore {
namespace text {

class ByteLevelBpe final : public Model {
 public:
  // `tokens` are the bytes of each id; they stay alive as long as this does.
  ByteLevelBpe(const std::vector<std::string_view>& tokens, const BpeSpec& spec, bool add_prefix_space);

  bool Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const override;
  void EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                         std::vector<Offset>& offsets) const override;

 private:
  const std::vector<std::string_view>& tokens_;
  bool add_prefix_space_;
  const Isa isa_ = ActiveIsa();
  Bpe words_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_BPE_H_
