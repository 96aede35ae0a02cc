// Bpe: byte-pair encoding of words, id for id what Hugging Face's BPE model gives, over characters (Llama,
// Phi-3, Mistral) or over bytes (GPT-2, CLIP, Whisper, Llama 3).
#ifndef MMCORE_CORE_TEXT_MODEL_BPE_H_
#define MMCORE_CORE_TEXT_MODEL_BPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/model/merger.h"
#include "core/text/model/model_spec.h"
#include "core/text/model/speller.h"
#include "core/text/model/word_batch.h"
#include "core/text/model/word_model.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

class Bpe final : public WordModel {
 public:
  // Texts that `spec` has stay alive as long as this does. All its ids are below `vocab_size`.
  Bpe(const BpeSpec& spec, size_t vocab_size);

  bool Encode(std::string_view word, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  bool EncodeWords(const char* text, Span<const Cut> words, const char* readable_end, Workspace& workspace,
                   TokenSink& sink) const override;
  void EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                        std::vector<Cut>& pieces) const override;

  // Words for EncodeBatch.
  WordBatch MakeBatch(const char* readable_end, Workspace& workspace, TokenSink& sink) const {
    return {whole_words_, readable_end, workspace.cache, sink};
  }
  bool EncodeBatch(WordBatch& batch, const char* readable_end, Workspace& workspace, TokenSink& sink) const;

 private:
  void FindWholeWords(const BpeSpec& spec);
  bool IsWhole(std::string_view word, int32_t id, std::vector<int32_t>& ids) const;
  bool CanCutAtSpaces(const BpeSpec& spec) const;
  void FindAsciiCuts();
  size_t PartEnd(std::string_view text, size_t begin) const;
  int32_t FindLongWord(std::string_view word) const;
  bool EncodeShort(std::string_view word, const char* readable_end, Workspace& workspace,
                   TokenSink& sink) const;
  bool EncodeMissed(std::string_view word, const WordKey& key, uint64_t hash, Workspace& workspace,
                    TokenSink& sink) const;
  bool EncodeLong(std::string_view word, Workspace& workspace, TokenSink& sink) const;
  bool EncodeBySpaces(std::string_view text, const char* readable_end, Workspace& workspace,
                      TokenSink& sink) const;

  bool byte_level_;
  Speller speller_;
  Merger merger_;
  WordTable whole_words_;  // Tokens that encode as themselves: most words of most texts.
  // With ignore_merges: tokens that are too long for the table.
  std::unordered_map<std::string_view, int32_t> long_words_;
  bool ignores_merges_ = false;  // Whether a token differs from what merging its characters gives.
  static constexpr size_t kAscii = 128;
  // Where cut at spaces: whether two characters of ASCII are ever in one token, side by side.
  std::array<bool, kAscii * kAscii> may_join_{};
  bool cut_at_spaces_ = false;  // Whether nothing is ever merged with a space that follows it ("▁").
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_BPE_H_
