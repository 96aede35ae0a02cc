// BERT's tokenizer: words found by BertNormalizer, cut into the longest pieces of a vocabulary from the left.
// (Wu et al., Google's Neural Machine Translation System, 2016, arXiv:1609.08144, section 4.1, for the
// pieces.)
#ifndef MMCORE_CORE_TEXT_WORDPIECE_H_
#define MMCORE_CORE_TEXT_WORDPIECE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/span.h"
#include "core/text/model.h"
#include "core/text/spec.h"
#include "core/text/trie.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

class WordPiece final : public Model {
 public:
  // `spec` stays alive as long as this does.
  explicit WordPiece(const Spec& spec);

  void Encode(std::string_view text, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  void EncodeWithOffsets(std::string_view text, int64_t base, Workspace& workspace, TokenSink& sink,
                         std::vector<Offset>& offsets) const override;
  std::string Decode(Span<const std::string_view> tokens) const override;

 private:
  struct Collector;
  struct OffsetCollector;

  // Where the pieces of `word` (normalized) end, in bytes, beside their ids. False: the word is unknown.
  bool Cut(std::string_view word, std::vector<int32_t>& ids, std::vector<size_t>* ends) const;

  bool EncodeAscii(std::string_view word, bool lower, const char* readable_end, Workspace& workspace,
                   TokenSink& sink) const;
  bool EncodeNormalized(std::string_view word, size_t chars, Workspace& workspace, TokenSink& sink) const;
  bool EncodeMissed(const WordKey& key, uint64_t hash, std::string_view word, Workspace& workspace,
                    TokenSink& sink) const;
  bool EncodeUncached(std::string_view word, Workspace& workspace, TokenSink& sink) const;

  const WordPieceSpec& spec_;
  WordTable whole_words_;
  Trie words_, suffixes_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORDPIECE_H_
