#include "core/text/train/wordpiece_trainer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/train/pair_merger.h"

namespace mmcore {
namespace text {
namespace {

constexpr const char* kPrefix = "##";

struct Collector {
  void Character(uint32_t c, size_t) {
    char bytes[4];
    word.append(bytes, utf8::Encode(c, bytes));
  }

  bool EndWord() {
    if (!word.empty()) counts.Add(word, 1);
    word.clear();
    return true;
  }

  size_t most_characters() const { return SIZE_MAX; }

  WordCounts& counts;
  std::string word;
};

std::string Spelling(uint32_t c) {
  char bytes[4];
  return {bytes, utf8::Encode(c, bytes)};
}

// How often each character is seen first in a word, and further on.
struct Seen {
  uint64_t first = 0, later = 0;
};
using Alphabet = std::map<uint32_t, Seen>;  // By code point.

template <typename Use>
void ForEachCharacter(std::string_view word, const Use& use) {
  for (size_t at = 0; at < word.size();) {
    const utf8::Decoded c = utf8::DecodeValid(word.data() + at);
    use(c.code_point, at == 0);
    at += c.size;
  }
}

Alphabet FindAlphabet(const WordCounts& words, size_t limit) {
  Alphabet alphabet;
  for (size_t w = 0; w < words.size(); ++w) {
    ForEachCharacter(words.word(w), [&](uint32_t c, bool is_first) {
      Seen& seen = alphabet[c];
      (is_first ? seen.first : seen.later) += words.count(w);
    });
  }
  if (alphabet.size() <= limit) return alphabet;
  std::vector<std::pair<uint32_t, Seen>> order(alphabet.begin(), alphabet.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second.first + a.second.later > b.second.first + b.second.later;
  });
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(limit)};
}

}  // namespace

void WordPieceTrainer::CountWords(std::string_view text, WordCounts& counts) const {
  Collector collector{counts, {}};
  std::vector<WaitingMark> waiting;
  BertNormalizer<Collector> normalizer(options_, waiting, collector);
  for (size_t at = 0; at < text.size();) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    normalizer.Add(c.code_point, at);
    at += c.size;
  }
  normalizer.Finish();
}

std::vector<std::string> WordPieceTrainer::Train(size_t vocab_size, uint64_t min_frequency, size_t alphabet_limit,
                                                 const std::vector<std::string>& reserved, Executor& executor) {
  const WordCounts& words = Gather();
  const Alphabet alphabet = FindAlphabet(words, alphabet_limit);
  PairMerger merger(kPrefix);
  for (const std::string& token : reserved) merger.IdOf(token);
  std::map<uint32_t, uint32_t> first_ids, later_ids;
  for (const auto& [c, seen] : alphabet) first_ids[c] = merger.IdOf(Spelling(c));
  for (const auto& [c, seen] : alphabet) {
    if (seen.later != 0) later_ids[c] = merger.IdOf(kPrefix + Spelling(c));
  }
  if (vocab_size < merger.num_tokens()) {
    throw InvalidArgument("vocab_size must be at least " + std::to_string(merger.num_tokens()) +
                          " (the special tokens and the characters of the texts; alphabet_limit makes these fewer), "
                          "got " +
                          std::to_string(vocab_size));
  }
  std::vector<uint32_t> symbols;
  for (size_t w = 0; w < words.size(); ++w) {
    symbols.clear();
    ForEachCharacter(words.word(w), [&](uint32_t c, bool is_first) {
      const auto& ids = is_first ? first_ids : later_ids;
      const auto found = ids.find(c);
      if (found != ids.end()) symbols.push_back(found->second);  // Else left out, as in Hugging Face.
    });
    merger.AddWord(symbols, words.count(w));
  }
  merger.Run(vocab_size, min_frequency, executor);
  return std::move(merger.tokens());
}

}  // namespace text
}  // namespace mmcore
