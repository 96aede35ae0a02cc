// WordPiece as a word model: the longest pieces of a vocabulary, from the left. (Wu et al., Google's Neural
// Machine Translation System, 2016, arXiv:1609.08144, section 4.1.)
#ifndef MMCORE_CORE_TEXT_MODEL_WORD_PIECE_H_
#define MMCORE_CORE_TEXT_MODEL_WORD_PIECE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/model/model_spec.h"
#include "core/text/model/word_model.h"
#include "core/text/trie.h"
#include "core/text/word_key.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

class WordPieceModel final : public WordModel {
 public:
  explicit WordPieceModel(const WordPieceSpec& spec);

  bool Encode(std::string_view word, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  void EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                        std::vector<Cut>& pieces) const override;

  size_t max_word_chars() const { return max_word_chars_; }
  int32_t unknown_id() const { return unknown_id_; }

  // The id of a word that is one piece, else -1.
  int32_t Whole(const WordKey& key) const {
    return key.size <= WordTable::kMaxBytes ? whole_words_.Find(key) : -1;
  }

  // Where the pieces of `word` end, in bytes, beside their ids. False: the word is unknown.
  bool CutWord(std::string_view word, std::vector<int32_t>& ids, std::vector<size_t>* ends) const;

  // The ids of a word, not too long, through the workspace's cache. `spell()` gives its bytes where `key`
  // is not known yet.
  template <typename Spell>
  bool EncodeKey(const WordKey& key, const Spell& spell, Workspace& workspace, TokenSink& sink) const {
    const int32_t id = Whole(key);
    if (id >= 0) return sink.Push(id);
    const uint64_t hash = Hash(key);
    const Span<const int32_t> known = workspace.cache.Find(key, hash);
    return known.empty() ? EncodeMissed(key, hash, spell(), workspace, sink) : sink.Append(known);
  }

  bool EncodeUncached(std::string_view word, Workspace& workspace, TokenSink& sink) const;

 private:
  bool EncodeMissed(const WordKey& key, uint64_t hash, std::string_view word, Workspace& workspace,
                    TokenSink& sink) const;

  const size_t max_word_chars_;
  const int32_t unknown_id_;
  WordTable whole_words_;
  Trie words_, suffixes_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_WORD_PIECE_H_
