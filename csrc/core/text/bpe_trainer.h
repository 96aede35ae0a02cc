// Trains a byte-level BPE vocabulary: counts the words of texts on all cores, then merges the most frequent
// pair until the vocabulary is full. (Sennrich et al., Neural Machine Translation of Rare Words with Subword
// Units, 2016, arXiv:1508.07909, algorithm 1.) Ties, and what happens when two pairs make the same token, as
// Hugging Face's trainer.
#ifndef MMCORE_CORE_TEXT_BPE_TRAINER_H_
#define MMCORE_CORE_TEXT_BPE_TRAINER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/text/word_counts.h"

namespace mmcore {
namespace text {

struct TrainedBpe {
  std::vector<std::string> tokens;  // Bytes by id: the reserved ones, 256 bytes, merged ones.
  std::vector<std::pair<uint32_t, uint32_t>> merges;  // Pairs of ids, by rank, without repetition.
};

class MMCORE_API BpeTrainer {
 public:
  // Adds the words of `texts`. Invalid UTF-8 is read as in Tokenizer.
  void Feed(Span<const std::string_view> texts, Executor& executor);

  size_t num_words() const { return words_.size(); }  // Distinct ones.

  // `reserved`: tokens that take the first ids (special ones). `byte_order`: the 256 bytes in the order of
  // their ids. Pairs seen fewer than `min_frequency` times are not merged. Throws InvalidArgument where
  // `vocab_size` has no room for the reserved tokens and the bytes.
  TrainedBpe Train(size_t vocab_size, uint64_t min_frequency, const std::vector<std::string>& reserved,
                   Span<const uint8_t> byte_order) const;

 private:
  WordCounts words_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_BPE_TRAINER_H_
