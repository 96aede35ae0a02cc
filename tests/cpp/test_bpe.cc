#include <cstdint>
#include <initializer_list>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/text/model/bpe.h"
#include "core/text/model/ranks.h"

namespace {

using mmcore::text::Bpe;
using mmcore::text::BpeSpec;
using mmcore::text::Cut;
using mmcore::text::Merge;
using mmcore::text::TokenSink;
using mmcore::text::Workspace;
using Ids = std::vector<int32_t>;

// A vocabulary that keeps the texts of its options alive.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<Merge> merges;
  BpeSpec options;

  int32_t Add(const std::string& token) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] == token) return static_cast<int32_t>(i);
    }
    tokens.push_back(token);
    return static_cast<int32_t>(tokens.size() - 1);
  }

  void Join(const std::string& left, const std::string& right) {
    const auto id = [this](const std::string& token) { return static_cast<uint32_t>(Add(token)); };
    merges.push_back({id(left), id(right), id(left + right.substr(options.prefix.size()))});
  }

  Bpe Make() {
    options.merges = merges;
    options.pieces.clear();
    for (size_t i = 0; i < tokens.size(); ++i) options.pieces.push_back({tokens[i], static_cast<int32_t>(i)});
    return Bpe(options, tokens.size());
  }
};

Ids Encode(const Bpe& bpe, std::string_view word, Workspace& workspace) {
  TokenSink sink;
  sink.BeginRow(TokenSink::kNoLimit);
  CHECK(bpe.Encode(word, word.data() + word.size(), workspace, sink));
  return {sink.ids().begin(), sink.ids().end()};
}

Ids Encode(const Bpe& bpe, std::string_view word) {
  Workspace workspace;
  return Encode(bpe, word, workspace);
}

// The definition of byte-pair encoding, with the square of the length.
Ids MergePlainly(Ids ids, const std::vector<Merge>& merges) {
  std::map<std::pair<int32_t, int32_t>, size_t> ranks;
  for (size_t i = 0; i < merges.size(); ++i) {
    ranks[{static_cast<int32_t>(merges[i].left), static_cast<int32_t>(merges[i].right)}] = i;
  }
  while (true) {
    size_t best = merges.size(), at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = ranks.find({ids[i], ids[i + 1]});
      if (found != ranks.end() && found->second < best) best = found->second, at = i;
    }
    if (best == merges.size()) return ids;
    ids[at] = static_cast<int32_t>(merges[best].result);
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

Vocabulary RandomVocabulary(std::mt19937& random, size_t letters, size_t merges) {
  Vocabulary vocabulary;
  for (size_t i = 0; i < letters; ++i) vocabulary.Add(std::string(1, static_cast<char>('a' + i)));
  for (size_t i = 0; i < merges; ++i) {
    const std::string left = vocabulary.tokens[random() % vocabulary.tokens.size()];
    const std::string right = vocabulary.tokens[random() % vocabulary.tokens.size()];
    if (left.size() + right.size() < 40) vocabulary.Join(left, right);
  }
  return vocabulary;
}

void TestRandomVocabularies() {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const size_t letters = 1 + random() % 4;
    Vocabulary vocabulary = RandomVocabulary(random, letters, random() % 30);
    vocabulary.options.byte_level = random() % 2 == 0;
    const Bpe bpe = vocabulary.Make();
    Workspace workspace;
    for (const size_t size : std::initializer_list<size_t>{1, 2, 3, 11, 12, 13, 24, 25, 63, 64, 65, 66, 300, 1023, 1024, 1025, 2500}) {
      if (size > 100 && round % 20 != 0) continue;
      std::string word;
      Ids symbols;
      for (size_t i = 0; i < size; ++i) {
        symbols.push_back(static_cast<int32_t>(random() % letters));
        word.push_back(static_cast<char>('a' + symbols.back()));
      }
      const Ids expected = MergePlainly(symbols, vocabulary.merges);
      CHECK(Encode(bpe, word, workspace) == expected);
      CHECK(Encode(bpe, word, workspace) == expected);  // From the cache.
    }
  }
}

// Tokens longer than a window: no two windows agree until they are widened.
void TestTokensLongerThanTheWindow() {
  Vocabulary vocabulary;
  std::string token = "a";
  for (int i = 0; i < 13; ++i) {
    vocabulary.Join(token, token);
    token += token;
  }
  const Bpe bpe = vocabulary.Make();
  for (const size_t size : {size_t{1000}, size_t{8192}, size_t{8193}, size_t{50'000}}) {
    Ids expected(size / 8192, 13);
    for (int32_t bit = 12; bit >= 0; --bit) {
      if (size >> bit & 1) expected.push_back(bit);
    }
    CHECK(Encode(bpe, std::string(size, 'a')) == expected);
  }
}

// With the square of the length in time this would take hours.
void TestAWordOfAMillionCharacters() {
  Vocabulary vocabulary;
  vocabulary.Join("a", "a");
  vocabulary.Join("aa", "aa");
  CHECK(Encode(vocabulary.Make(), std::string(1'000'003, 'a')) == [] {
    Ids expected(250'000, 2);
    expected.insert(expected.end(), {1, 0});
    return expected;
  }());
}

void TestUnknownCharacters() {
  Vocabulary vocabulary;
  for (const char* token : {"<unk>", "a", "b", "ab"}) vocabulary.Add(token);
  vocabulary.Join("a", "b");
  CHECK(Encode(vocabulary.Make(), "a??b") == (Ids{3}));  // Dropped.
  vocabulary.options.unknown_id = 0;
  CHECK(Encode(vocabulary.Make(), "a??b?") == (Ids{1, 0, 0, 2, 0}));
  vocabulary.options.fuse_unknown = true;
  CHECK(Encode(vocabulary.Make(), "a??b?") == (Ids{1, 0, 2, 0}));
  std::string word;
  for (int i = 0; i < 5000; ++i) word += "??";
  CHECK(Encode(vocabulary.Make(), word) == (Ids{0}));
  CHECK(Encode(vocabulary.Make(), "a" + word + "ab") == (Ids{1, 0, 3}));
}

void TestByteFallback() {
  Vocabulary vocabulary;
  for (const char* token : {"<unk>", "a", "<0xC3>", "<0xA9>"}) vocabulary.Add(token);
  vocabulary.options.byte_fallback = true;
  vocabulary.options.fuse_unknown = true;
  vocabulary.options.unknown_id = 0;
  CHECK(Encode(vocabulary.Make(), "a\xC3\xA9") == (Ids{1, 2, 3}));
  // One that has no bytes is put down behind those that have, as Hugging Face does.
  CHECK(Encode(vocabulary.Make(), "?\xC3\xA9?a") == (Ids{2, 3, 0, 1}));
}

void TestPrefixAndSuffix() {
  Vocabulary vocabulary;
  vocabulary.options.prefix = "##";
  vocabulary.options.suffix = "</w>";
  for (const char* token : {"a", "##a", "##a</w>", "a</w>"}) vocabulary.Add(token);
  vocabulary.Join("a", "##a</w>");
  vocabulary.Join("##a", "##a</w>");
  CHECK(Encode(vocabulary.Make(), "a") == (Ids{3}));
  CHECK(Encode(vocabulary.Make(), "aa") == (Ids{4}));
  CHECK(Encode(vocabulary.Make(), "aaa") == (Ids{0, 5}));
}

void TestWordsThatMergesDoNotReach() {
  Vocabulary vocabulary;
  for (const char* token : {"a", "b", "ba", "baabaabaabaabaabaabaabaabaabaa"}) vocabulary.Add(token);
  CHECK(Encode(vocabulary.Make(), "ba") == (Ids{1, 0}));
  vocabulary.options.ignore_merges = true;
  CHECK(Encode(vocabulary.Make(), "ba") == (Ids{2}));
  CHECK(Encode(vocabulary.Make(), vocabulary.tokens[3]) == (Ids{3}));
  CHECK(Encode(vocabulary.Make(), "bab") == (Ids{1, 0, 1}));
}

void TestTextsAreCutAtSpaces() {
  Vocabulary vocabulary;
  const std::string space = "\xE2\x96\x81";
  vocabulary.Add("<unk>");
  vocabulary.options.unknown_id = 0;
  vocabulary.Join(space, "a");
  vocabulary.Join(space, space);
  vocabulary.Join("b", "a");
  std::string text;
  for (int i = 0; i < 100; ++i) text += space + "a" + space + space + space + "ba";
  const Bpe bpe = vocabulary.Make();
  Ids symbols;
  for (int i = 0; i < 100; ++i) symbols.insert(symbols.end(), {1, 2, 1, 1, 1, 5, 2});
  CHECK(Encode(bpe, text) == MergePlainly(symbols, vocabulary.merges));
}

void TestPiecesFollowEachOther() {
  std::mt19937 random(5);
  Vocabulary vocabulary = RandomVocabulary(random, 3, 20);
  const Bpe bpe = vocabulary.Make();
  for (const size_t size : std::initializer_list<size_t>{1, 12, 30, 3000}) {
    std::string word;
    for (size_t i = 0; i < size; ++i) word.push_back(static_cast<char>('a' + random() % 3));
    Workspace workspace;
    TokenSink sink;
    sink.BeginRow(TokenSink::kNoLimit);
    std::vector<Cut> pieces;
    bpe.EncodeWithPieces(word, workspace, sink, pieces);
    CHECK(Ids(sink.ids().begin(), sink.ids().end()) == Encode(bpe, word));
    std::string joined;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const Cut piece = pieces[i];
      joined += word.substr(piece.begin, piece.end - piece.begin);
      CHECK(vocabulary.tokens[static_cast<size_t>(sink.ids()[i])].size() == piece.end - piece.begin);
    }
    CHECK(joined == word);
  }
}

void TestAFullSinkStopsEncoding() {
  Vocabulary vocabulary;
  vocabulary.Add("a");
  vocabulary.Add("b");
  const Bpe bpe = vocabulary.Make();
  Workspace workspace;
  for (const size_t size : std::initializer_list<size_t>{5, 30, 9000}) {
    const std::string word(size, 'a');
    int32_t row[3];
    TokenSink sink(row, 3);
    sink.BeginRow(3);
    CHECK(!bpe.Encode(word, word.data() + word.size(), workspace, sink) && sink.size() == 3);
  }
}

void TestMergesOfRanks() {
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) texts.emplace_back(1, static_cast<char>(byte));
  // "aba" is made of "ab" and "a", since "ab" comes before "ba"; nothing makes "xyz".
  for (const char* token : {"ab", "ba", "aba", "xyz"}) texts.emplace_back(token);
  const std::vector<std::string_view> tokens(texts.begin(), texts.end());
  const std::vector<Merge> merges = mmcore::text::MergesOfRanks(tokens);
  CHECK(merges.size() == 3);
  CHECK(merges[2].left == 256 && merges[2].right == 'a' && merges[2].result == 258);
  const std::vector<std::string_view> few(tokens.begin() + 1, tokens.end());
  CHECK_THROWS(mmcore::text::MergesOfRanks(few), mmcore::InvalidArgument);
}

}  // namespace

int main() {
  TestRandomVocabularies();
  TestTokensLongerThanTheWindow();
  TestAWordOfAMillionCharacters();
  TestUnknownCharacters();
  TestByteFallback();
  TestPrefixAndSuffix();
  TestWordsThatMergesDoNotReach();
  TestTextsAreCutAtSpaces();
  TestPiecesFollowEachOther();
  TestAFullSinkStopsEncoding();
  TestMergesOfRanks();
  return mmcore::testing::Report("bpe");
}
