// Checks of fuzz_text that are not of one text: rows of ids, many threads, trainers.
#ifndef MMCORE_TESTS_CPP_FUZZ_CHECKS_H_
#define MMCORE_TESTS_CPP_FUZZ_CHECKS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/executor.h"
#include "core/base/thread_pool.h"
#include "core/base/utf8.h"
#include "core/text/bpe_trainer.h"
#include "core/text/decode/rows.h"
#include "core/text/tokenizer.h"
#include "core/text/train/wordpiece_trainer.h"
#include "fuzz_base.h"

namespace fuzz {

using mmcore::text::EncodeOptions;
using mmcore::text::Tokenizer;

// A matrix of the ids, and some that are in no vocabulary, some of them masked: each row is what Decode gives.
inline void CheckDecodeRows(const Tokenizer& tokenizer, std::vector<int32_t> ids, Dice& dice) {
  const size_t width = dice.Below(9), rows = width == 0 ? dice.Below(4) : ids.size() / width;
  ids.resize(width * rows);
  const auto mask = std::make_unique<bool[]>(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    mask[i] = !dice.OneIn(4);
    if (dice.OneIn(40)) ids[i] = static_cast<int32_t>(static_cast<uint32_t>(dice.Below(size_t{1} << 32)));
  }
  const bool skip = dice.OneIn(2);
  std::vector<std::string> texts(rows), expected(rows);
  const bool each = Runs([&] {
    for (size_t row = 0; row < rows; ++row) {
      std::vector<int32_t> counted;
      for (size_t i = row * width; i < (row + 1) * width; ++i) {
        if (mask[i]) counted.push_back(ids[i]);
      }
      expected[row] = tokenizer.Decode(counted, skip);
    }
  });
  const mmcore::text::IdRows<int32_t> matrix{ids, mask.get(), rows, width, {}};
  mmcore::PoolExecutor executor(2);
  const bool together = Runs([&] {
    mmcore::text::DecodeRows<int32_t>(tokenizer, matrix, skip, executor,
                                      [&](size_t row, std::string_view text) { texts[row] = text; });
  });
  Expect(each == together, "rows are decoded where each of them is");
  if (each) Expect(texts == expected, "rows are decoded as each of them is");
  std::vector<int64_t> splits(1 + dice.Below(5));
  for (int64_t& split : splits) split = static_cast<int64_t>(dice.Below(ids.size() + 3)) - 1;
  if (dice.OneIn(2)) splits.front() = 0, splits.back() = static_cast<int64_t>(ids.size());
  const mmcore::text::IdRows<int32_t> ragged{ids, nullptr, splits.size() - 1, 0, splits};
  Runs([&] {
    mmcore::text::DecodeRows<int32_t>(tokenizer, ragged, skip, executor, [](size_t, std::string_view text) {
      Expect(mmcore::utf8::ValidPrefix(text) == text.size(), "decoded rows are UTF-8");
    });
  });
}

// Several threads at once find what one finds.
inline void CheckThreads(const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                         const EncodeOptions& options) {
  using Found = std::vector<std::pair<std::vector<int32_t>, std::string>>;
  const auto encode = [&] {
    Found found(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      Runs([&] { found[i].first = tokenizer.Encode(texts[i], options); });
      Runs([&] { found[i].second = tokenizer.Decode(found[i].first, true); });
    }
    return found;
  };
  std::array<Found, 3> found;
  std::vector<std::thread> threads;
  for (Found& place : found) threads.emplace_back([&place, &encode] { place = encode(); });
  for (std::thread& thread : threads) thread.join();
  for (const Found& place : found) Expect(place == found[0], "threads find the same ids and texts");
}

// Trainers take any text; the tokens of both are distinct, and two threads learn what one learns.
inline void CheckTrainers(const std::vector<std::string_view>& texts, Dice& dice) {
  std::vector<uint8_t> bytes(256);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  const size_t vocab_size = dice.Below(400), min_frequency = dice.Below(4), alphabet = dice.Below(40);
  const auto bert = mmcore::text::BertOptions{dice.OneIn(2), dice.OneIn(2), dice.OneIn(2), dice.OneIn(2)};
  std::vector<std::vector<std::string>> learned;
  for (const size_t count : {size_t{1}, size_t{2}}) {
    mmcore::PoolExecutor executor(count);
    Runs([&] {
      mmcore::text::BpeTrainer trainer;
      trainer.Feed(texts, executor);
      const mmcore::text::TrainedBpe made = trainer.Train(vocab_size, min_frequency, {"<s>"}, bytes, executor);
      Expect(made.tokens.size() <= vocab_size, "a vocabulary is as large as was asked for at most");
      Expect(made.merges.size() + 257 >= made.tokens.size(), "each further token comes from a merge");
      learned.push_back(made.tokens);
    });
    Runs([&] {
      mmcore::text::WordPieceTrainer trainer(bert);
      trainer.Feed(texts, executor);
      learned.push_back(trainer.Train(vocab_size, min_frequency, alphabet, {"[UNK]"}, executor));
      Expect(learned.back().size() <= vocab_size, "a vocabulary is as large as was asked for at most");
    });
  }
  Expect(learned.size() % 2 == 0, "training fails with any number of threads or with none");
  for (size_t i = 0; i < learned.size() / 2; ++i) {
    Expect(learned[i] == learned[i + learned.size() / 2], "two threads learn what one learns");
  }
}

}  // namespace fuzz

#endif  // MMCORE_TESTS_CPP_FUZZ_CHECKS_H_
