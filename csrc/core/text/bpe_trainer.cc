#include "core/text/bpe_trainer.h"

#include "core/base/errors.h"
#include "core/text/split/block_words.h"
#include "core/text/train/pair_merger.h"

namespace mmcore {
namespace text {

void BpeTrainer::CountWords(std::string_view text, WordCounts& counts) const {
  ForEachWord<Gpt2Starts>(ActiveIsa(), text.data(), text.data() + text.size(), [&](const char* from, const char* to) {
    counts.Add({from, static_cast<size_t>(to - from)}, 1);
    return true;
  });
}

TrainedBpe BpeTrainer::Train(size_t vocab_size, uint64_t min_frequency, const std::vector<std::string>& reserved,
                             Span<const uint8_t> byte_order, Executor& executor) {
  if (byte_order.size() != 256) throw InvalidArgument("byte_order must list 256 bytes");
  PairMerger merger("");
  for (const std::string& token : reserved) merger.AddToken(token, /*findable=*/!token.empty());
  uint32_t byte_ids[256];
  for (const uint8_t byte : byte_order) byte_ids[byte] = merger.IdOf(std::string(1, static_cast<char>(byte)));
  if (vocab_size < merger.num_tokens()) {
    throw InvalidArgument("vocab_size must be at least " + std::to_string(merger.num_tokens()) +
                          " (the 256 bytes and the special tokens), got " + std::to_string(vocab_size));
  }
  const WordCounts& words = Gather();
  std::vector<uint32_t> symbols;
  for (size_t w = 0; w < words.size(); ++w) {
    symbols.clear();
    for (const char c : words.word(w)) symbols.push_back(byte_ids[static_cast<unsigned char>(c)]);
    merger.AddWord(symbols, words.count(w));
  }
  merger.Run(vocab_size, min_frequency, executor);
  return {std::move(merger.tokens()), merger.MergesWithoutRepetition()};
}

}  // namespace text
}  // namespace mmcore
