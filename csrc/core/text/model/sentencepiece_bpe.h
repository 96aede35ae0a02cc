// SentencePieceBpe: byte-pair encoding as SentencePiece does it. The two neighbours whose joined piece has the
// highest score are merged first, of equal scores the leftmost, where Hugging Face orders pairs strictly.
#ifndef MMCORE_CORE_TEXT_MODEL_SENTENCEPIECE_BPE_H_
#define MMCORE_CORE_TEXT_MODEL_SENTENCEPIECE_BPE_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/model/merger.h"
#include "core/text/model/model_spec.h"
#include "core/text/model/unit_map.h"
#include "core/text/model/word_model.h"
#include "core/text/trie.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

struct SentencePieceBpeOptions {
  std::vector<Piece> pieces;     // Those that merging may lead to; texts may go afterwards.
  std::vector<Piece> symbols;    // Found first, the longest at each place, and never merged.
  std::vector<Merge> merges;     // By rank: pieces of higher score have a lower one, of equal scores the same.
  std::vector<uint32_t> ranks;   // Of the merges.
  int32_t unknown_id = 0;
  std::vector<int32_t> byte_ids;  // Of the bytes of characters that are no piece; empty: unknown_id.
  size_t vocab_size = 0;          // All ids are below.
};

class SentencePieceBpe final : public WordModel {
 public:
  explicit SentencePieceBpe(const SentencePieceBpeOptions& options);

  bool Encode(std::string_view word, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  void EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                        std::vector<Cut>& pieces) const override;

 private:
  void Know(const Piece& piece);
  std::vector<int32_t> Initial(const SentencePieceBpeOptions& options) const;
  void FindCuts();
  bool MayMeet(char left, char right) const;
  void FindWholeWords(const std::vector<Piece>& pieces);

  bool EncodeRun(std::string_view run, const char* readable_end, Workspace& workspace, TokenSink& sink) const;
  bool EncodeShort(std::string_view word, const char* readable_end, Workspace& workspace,
                   TokenSink& sink) const;
  bool EncodeLong(std::string_view word, Workspace& workspace, TokenSink& sink) const;
  size_t WordEnd(std::string_view run, size_t begin) const;
  size_t Spell(std::string_view text, int32_t* ids, size_t count) const;

  UnitMap characters_;
  std::vector<uint32_t> sizes_;  // Bytes of each piece by id; 0: stands for unknown characters.
  Merger merger_;
  Trie symbols_;
  bool has_symbols_;
  int32_t unknown_id_;
  std::vector<int32_t> byte_ids_;
  bool cut_at_spaces_ = false;        // Nothing is ever merged with a space that follows it (U+2581).
  std::bitset<256 * 256> may_part_;   // By two bytes: whether a word may end between them.
  WordTable whole_words_;             // Pieces that encode as themselves.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_SENTENCEPIECE_BPE_H_
