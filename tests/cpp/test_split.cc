#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/cpu.h"
#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/split/block_words.h"
#include "core/text/split/set_splitter.h"
#include "core/text/split/splitters.h"

namespace {

using mmcore::Isa;
using mmcore::text::Behaviour;
using mmcore::text::Cut;
using mmcore::text::Pattern;
using mmcore::text::Splitter;
using Splitters = std::vector<std::unique_ptr<Splitter>>;

constexpr std::string_view kPieces[] = {
    "a",      "B",        "s",        "re",  "1",          "234",     " ",        "  ",
    "\n",     "\r\n",     "\t",       "'",   "'s",         "'LL",     "'\xC5\xBF", "-",
    "/",      ".,",       "\xC3\xA9", "_",   "\xC2\x85",   "\xCC\x81", "\xE2\x96\x81", "\xE3\x80\x80",
    "\xE6\x97\xA5", "\xF0\x9F\x91\xA9", "\xF0\x9D\x9F\x99", "<|endoftext|>", "<|start", "<|startoftext|>",
};

Splitters All() {
  Splitters all;
  for (uint32_t pattern = 0; pattern < static_cast<uint32_t>(Pattern::kCount); ++pattern) {
    for (uint32_t behaviour = 0; behaviour < 5; ++behaviour) {
      for (const bool invert : {false, true}) {
        all.push_back(mmcore::text::SplitPattern(static_cast<Pattern>(pattern),
                                                 static_cast<Behaviour>(behaviour), invert));
      }
    }
  }
  for (const char* literal : {" ", "'s", "\xE2\x96\x81", "  \n"}) {
    all.push_back(mmcore::text::SplitLiteral(literal, Behaviour::kMergedWithNext, false));
    all.push_back(mmcore::text::SplitLiteral(literal, Behaviour::kMergedWithPrevious, true));
  }
  const mmcore::text::CharacterSet set({{'1', 'f'}, {0x300, 0x2FFFF}});
  all.push_back(mmcore::text::SplitSetRuns({set, 1, SIZE_MAX}, Behaviour::kIsolated, false));
  all.push_back(mmcore::text::SplitSetRuns({set, 2, 3}, Behaviour::kMergedWithNext, true));
  all.push_back(mmcore::text::SplitWhitespace());
  all.push_back(mmcore::text::SplitOnWhitespace());
  all.push_back(mmcore::text::SplitPunctuation(Behaviour::kContiguous));
  all.push_back(mmcore::text::SplitClipAndGpt2(false));
  all.push_back(mmcore::text::SplitClipAndGpt2(true));
  all.push_back(mmcore::text::SplitDigits(true));
  all.push_back(mmcore::text::SplitDigits(false));
  all.push_back(mmcore::text::SplitBert());
  all.push_back(mmcore::text::SplitFixedLength(2));
  return all;
}

std::vector<Cut> Words(const Splitter& splitter, std::string_view text, size_t begin, size_t end) {
  std::vector<Cut> words;
  splitter.Split(text, begin, end, words);
  return words;
}

bool Sound(const std::vector<Cut>& words, std::string_view text) {
  size_t at = 0;
  for (const Cut& word : words) {
    if (word.begin < at || word.end <= word.begin || word.end > text.size()) return false;
    if (mmcore::utf8::ValidPrefix(text.substr(word.begin, word.end - word.begin)) != word.end - word.begin) {
      return false;
    }
    at = word.end;
  }
  return true;
}

bool SameFrom(const std::vector<Cut>& whole, const std::vector<Cut>& alone, size_t from) {
  if (whole.size() != alone.size()) return false;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].begin != alone[i].begin + from || whole[i].end != alone[i].end + from) return false;
  }
  return true;
}

std::vector<Cut> WordsBySome(const Splitter& splitter, std::string_view text, size_t most) {
  std::vector<Cut> words, some;
  for (size_t at = 0; at < text.size();) {
    some.clear();
    at = splitter.SplitSome(text, at, text.size(), most, some);
    words.insert(words.end(), some.begin(), some.end());
  }
  return words;
}

// Each text lies in memory of exactly its size, so that a look behind its end is found by the sanitizer.
void TestWordsAreSoundAndNothingOutsideIsRead() {
  const Splitters all = All();
  std::mt19937 random(7);
  for (size_t round = 0; round < 300; ++round) {
    std::string parts[3];
    for (std::string& part : parts) {
      const size_t count = random() % 12;
      for (size_t i = 0; i < count; ++i) part += kPieces[random() % std::size(kPieces)];
    }
    const std::string joined = parts[0] + parts[1] + parts[2];
    const std::vector<char> middle(parts[1].begin(), parts[1].end());
    const std::string_view alone(middle.data(), middle.size());
    for (const auto& splitter : all) {
      const std::vector<Cut> words = Words(*splitter, alone, 0, alone.size());
      CHECK(Sound(words, alone));
      CHECK(SameFrom(WordsBySome(*splitter, alone, 1 + round % 3), words, 0));
      const size_t from = parts[0].size();
      CHECK(SameFrom(Words(*splitter, joined, from, from + alone.size()), words, from));
    }
  }
}

void TestLongRunsOfOneCharacterTakeLinearTime() {
  const Splitters all = All();
  for (const std::string_view piece : {"a", "A", " ", "'", "1", "\n", "\xCC\x81", "\xE6\x97\xA5", "'s", "A\xCC\x81"}) {
    std::string text;
    for (size_t i = 0; i < 100'000; ++i) text += piece;
    for (const auto& splitter : all) CHECK(Sound(Words(*splitter, text, 0, text.size()), text));
  }
}

// Going from character to character is the definition.
template <typename Starts>
bool BlocksFindTheSame(Isa isa, const char* p, const char* end) {
  bool same = true;
  mmcore::text::ForEachWord<Starts>(isa, p, end, [&](const char* from, const char* to) {
    same = same && from == p && to == Starts::Next(p, end);
    p = to;
    return true;
  });
  return same && p == end;
}

void TestBlocksFindTheWordsOfScanners() {
  std::mt19937 random(8);
  for (size_t round = 0; round < 20'000; ++round) {
    std::string joined;
    for (size_t i = random() % 80; i > 0; --i) joined += kPieces[random() % std::size(kPieces)];
    const std::vector<char> text(joined.begin(), joined.end());
    const char *const p = text.data(), *const end = p + text.size();
    for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
      if (isa > mmcore::DetectedIsa()) continue;
      CHECK(BlocksFindTheSame<mmcore::text::Gpt2Starts>(isa, p, end));
      CHECK(BlocksFindTheSame<mmcore::text::ClipStarts>(isa, p, end));
      CHECK(BlocksFindTheSame<mmcore::text::SpaceStarts>(isa, p, end));
    }
  }
}

// Both patterns at once against one after the other.
void TestClipsWordsCutByGpt2() {
  const auto gpt2 = mmcore::text::SplitPattern(Pattern::kGpt2, Behaviour::kIsolated, false);
  std::mt19937 random(9);
  for (size_t round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t i = random() % 20; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
    for (const bool names : {false, true}) {
      const Pattern pattern = names ? Pattern::kClipWithNames : Pattern::kClip;
      const auto clip = mmcore::text::SplitPattern(pattern, Behaviour::kRemoved, true);
      std::vector<Cut> expected;
      for (const Cut& word : Words(*clip, text, 0, text.size())) gpt2->Split(text, word.begin, word.end, expected);
      CHECK(SameFrom(Words(*mmcore::text::SplitClipAndGpt2(names), text, 0, text.size()), expected, 0));
    }
  }
}

void TestVectorsClassifyEveryByteAsTheTableDoes() {
  char block[mmcore::text::kBlockBytes];
  for (size_t first = 0; first < 256; ++first) {
    for (size_t i = 0; i < sizeof(block); ++i) block[i] = static_cast<char>(first + 5 * i);
    mmcore::text::AsciiMasks expected, masks;
    mmcore::text::ClassifyScalar(block, expected);
    for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
      if (isa > mmcore::DetectedIsa()) continue;
      mmcore::text::ClassifierOf(isa)(block, masks);
      CHECK(masks.letter == expected.letter && masks.number == expected.number);
      CHECK(masks.space == expected.space && masks.blank == expected.blank);
      CHECK(masks.apostrophe == expected.apostrophe && masks.lead == expected.lead);
      CHECK(masks.wide == expected.wide);
    }
  }
}

void TestWhatHasNoMeaningIsRefused() {
  CHECK_THROWS(mmcore::text::SplitPattern(Pattern::kCount, Behaviour::kIsolated, false), mmcore::InvalidArgument);
  CHECK_THROWS(mmcore::text::SplitLiteral("", Behaviour::kIsolated, false), mmcore::InvalidArgument);
  CHECK_THROWS(mmcore::text::SplitFixedLength(0), mmcore::InvalidArgument);
}

}  // namespace

int main() {
  TestWordsAreSoundAndNothingOutsideIsRead();
  TestLongRunsOfOneCharacterTakeLinearTime();
  TestBlocksFindTheWordsOfScanners();
  TestClipsWordsCutByGpt2();
  TestVectorsClassifyEveryByteAsTheTableDoes();
  TestWhatHasNoMeaningIsRefused();
  return mmcore::testing::Report("test_split");
}
