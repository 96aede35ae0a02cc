// Trains a byte-level BPE vocabulary: counts the words of texts on all cores, then merges the most frequent
// pair until the vocabulary is full; the same as Hugging Face's BpeTrainer.
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
#include "core/text/train/word_counter.h"

namespace mmcore {
namespace text {

struct TrainedBpe {
  std::vector<std::string> tokens;  // Bytes by id: the reserved ones, 256 bytes, merged ones.
  std::vector<std::pair<uint32_t, uint32_t>> merges;  // Pairs of ids, by rank, without repetition.
};

class MMCORE_API BpeTrainer final : public WordCounter {
 public:
  // `reserved`: tokens that take the first ids (special ones). `byte_order`: the 256 bytes in the order of
  // their ids. Pairs seen fewer than `min_frequency` times are not merged. Throws InvalidArgument where
  // `vocab_size` has no room for the reserved tokens and the bytes.
  TrainedBpe Train(size_t vocab_size, uint64_t min_frequency, const std::vector<std::string>& reserved,
                   Span<const uint8_t> byte_order, Executor& executor);
  TrainedBpe Train(size_t vocab_size, uint64_t min_frequency, const std::vector<std::string>& reserved,
                   Span<const uint8_t> byte_order) {
    InlineExecutor executor;
    return Train(vocab_size, min_frequency, reserved, byte_order, executor);
  }

 protected:
  void CountWords(std::string_view text, WordCounts& counts) const override;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_BPE_TRAINER_H_
