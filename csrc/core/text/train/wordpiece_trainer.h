// Trains a WordPiece vocabulary as Hugging Face's WordPieceTrainer does: the pairs of the words' characters are
// merged by frequency, as in byte-pair encoding; characters that continue a word are symbols of their own. Where
// Hugging Face follows the order of a hash table, characters of equal frequency are kept by code point, and the
// symbols of continuing characters have their ids in the order of code points.
#ifndef MMCORE_CORE_TEXT_TRAIN_WORDPIECE_TRAINER_H_
#define MMCORE_CORE_TEXT_TRAIN_WORDPIECE_TRAINER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/text/bert_normalizer.h"
#include "core/text/train/word_counter.h"

namespace mmcore {
namespace text {

class MMCORE_API WordPieceTrainer final : public WordCounter {
 public:
  explicit WordPieceTrainer(const BertOptions& options) : options_(options) {}

  // Tokens by id: the reserved ones, the alphabet (the `alphabet_limit` most frequent characters), these behind
  // "##" where they continue words, then merged pieces. Pairs seen fewer than `min_frequency` times are not
  // merged. Throws InvalidArgument where `vocab_size` has no room for all but the merged ones.
  std::vector<std::string> Train(size_t vocab_size, uint64_t min_frequency, size_t alphabet_limit,
                                 const std::vector<std::string>& reserved, Executor& executor);

 protected:
  void CountWords(std::string_view text, WordCounts& counts) const override;

 private:
  const BertOptions options_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_TRAIN_WORDPIECE_TRAINER_H_
