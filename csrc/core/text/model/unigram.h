// Unigram: the cut of a word into pieces whose scores have the largest sum, as Hugging Face tokenizers and
// SentencePiece compute it.
#ifndef MMCORE_CORE_TEXT_MODEL_UNIGRAM_H_
#define MMCORE_CORE_TEXT_MODEL_UNIGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/model/piece_trie.h"
#include "core/text/model/word_model.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

struct UnigramOptions {
  std::vector<ScoredPiece> pieces;  // Those that a text may be cut into; their texts may go afterwards.
  double unknown_score = 0;         // Of a character that is no piece.
  int32_t unknown_id = -1;          // -1: a text that needs it is an error.
  std::vector<int32_t> byte_ids;    // What unknown characters become: 256 ids, -1: none. Empty: unknown_id.
  // As SentencePiece: sums are rounded to float, unknown characters become bytes one by one, and a run of them
  // is never a piece. Else as Hugging Face: sums are double, and a run of unknown characters is looked up.
  bool sentencepiece = false;
};

class Unigram final : public WordModel {
 public:
  explicit Unigram(const UnigramOptions& options);

  // Both throw InvalidArgument where a character has no piece and the model no unknown token.
  bool Encode(std::string_view word, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  void EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                        std::vector<Cut>& pieces) const override;

 private:
  template <typename Emit>
  bool Cover(std::string_view word, UnigramScratch& scratch, const Emit& emit) const;
  template <typename Emit>
  class Path;
  template <bool kFloat>
  class Lattice;

  void FindWholeWords(const std::vector<ScoredPiece>& pieces);

  PieceTrie trie_;
  double unknown_score_;
  int32_t unknown_id_;
  std::vector<int32_t> byte_ids_;
  bool sentencepiece_;
  size_t ring_size_;       // Power of two, more than the bytes of any piece and character.
  WordTable whole_words_;  // Words that are one piece. Empty where sums are rounded to float.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_UNIGRAM_H_
