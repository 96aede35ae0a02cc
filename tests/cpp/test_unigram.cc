// The trie and the Unigram model against plain versions of themselves.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/text/model/piece_trie.h"
#include "core/text/model/unigram.h"

namespace {

using mmcore::text::Cut;
using mmcore::text::PieceTrie;
using mmcore::text::ScoredPiece;
using mmcore::text::TokenSink;
using mmcore::text::Unigram;
using mmcore::text::UnigramOptions;
using mmcore::text::Workspace;
using Ids = std::vector<int32_t>;

class Random {
 public:
  size_t Below(size_t limit) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % limit;
  }

 private:
  uint64_t state_ = 11;
};

Ids Encode(const Unigram& model, std::string_view text, Workspace& workspace) {
  TokenSink sink;
  sink.BeginRow(TokenSink::kNoLimit);
  CHECK(model.Encode(text, text.data() + text.size(), workspace, sink));
  return {sink.ids().begin(), sink.ids().end()};
}

Ids EncodeWithPieces(const Unigram& model, std::string_view text, Workspace& workspace, std::vector<Cut>& cuts) {
  TokenSink sink;
  sink.BeginRow(TokenSink::kNoLimit);
  model.EncodeWithPieces(text, workspace, sink, cuts);
  return {sink.ids().begin(), sink.ids().end()};
}

size_t CharSize(char c) {
  const auto lead = static_cast<unsigned char>(c);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Every path to every byte, the best one kept: the definition, without ring, trie and settled parts.
template <typename Sum>
Ids Plain(const UnigramOptions& options, std::string_view text) {
  struct Step {
    bool known = false;
    Sum score = 0;
    size_t from = 0;
    int32_t id = 0;
  };
  std::map<std::string_view, ScoredPiece> pieces;
  for (const ScoredPiece& piece : options.pieces) pieces[piece.text] = piece;
  std::vector<Step> best(text.size() + 1);
  for (size_t at = 0; at < text.size(); at += CharSize(text[at])) {
    const size_t next = at + CharSize(text[at]);
    const auto offer = [&](size_t end, double score, int32_t id) {
      const auto sum = static_cast<Sum>(score);
      if (!best[end].known || sum > best[end].score) best[end] = {true, sum, at, id};
    };
    for (size_t end = at + 1; end <= text.size(); ++end) {
      const auto found = pieces.find(text.substr(at, end - at));
      if (found != pieces.end()) offer(end, found->second.score + best[at].score, found->second.id);
    }
    if (pieces.count(text.substr(at, next - at)) == 0) {
      offer(next, options.unknown_score + best[at].score, options.unknown_id);
    }
  }
  Ids ids;
  for (size_t end = text.size(); end > 0;) {
    size_t from = best[end].from;
    if (best[end].id != options.unknown_id) {
      ids.insert(ids.begin(), best[end].id);
      end = from;
      continue;
    }
    while (!options.sentencepiece && from > 0 && best[from].id == options.unknown_id) from = best[from].from;
    const std::string_view run = text.substr(from, end - from);
    const auto whole = pieces.find(run);
    const bool again = !options.byte_ids.empty() ? false : !ids.empty() && ids[0] == options.unknown_id;
    if (!options.sentencepiece && whole != pieces.end()) {
      ids.insert(ids.begin(), whole->second.id);
    } else if (!options.byte_ids.empty()) {
      for (size_t i = run.size(); i-- > 0;) {
        ids.insert(ids.begin(), options.byte_ids[static_cast<unsigned char>(run[i])]);
      }
    } else if (!again) {
      ids.insert(ids.begin(), options.unknown_id);
    }
    end = from;
  }
  return ids;
}

void TestTrieFindsWhatWasPutIn() {
  Random random;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (size_t size = 1 + random.Below(7); size > 0; --size) text += static_cast<char>(random.Below(256));
    texts.push_back(text);
  }
  std::vector<ScoredPiece> pieces;
  std::map<std::string_view, int32_t> expected;
  for (size_t i = 0; i < texts.size(); i += 2) {
    pieces.push_back({texts[i], static_cast<int32_t>(i), -1.0});
    expected[texts[i]] = static_cast<int32_t>(i);
  }
  const PieceTrie trie(pieces);
  for (const std::string& text : texts) {
    const auto found = expected.find(text);
    CHECK(trie.Find(text) == (found == expected.end() ? -1 : found->second));
  }
  CHECK(trie.Find("") == -1);
  CHECK(PieceTrie({}).Find("a") == -1);
}

void TestUnknownCharacters() {
  Workspace workspace;
  UnigramOptions options;
  options.pieces = {{"<unk>", 0, 0}, {"a", 1, -1}, {"b", 2, -1}, {"ab", 3, -1.5}, {"abab", 4, -3}};
  options.unknown_score = -13;
  options.unknown_id = 0;
  const Unigram model(options);
  CHECK(Encode(model, "abab", workspace) == Ids({4}));  // -3 either way: the path found first stays.
  CHECK(Encode(model, "xyaz", workspace) == Ids({0, 1, 0}));
  CHECK(Encode(model, "x<unk>\xC3\xA9", workspace) == Ids({0}));
  std::vector<Cut> cuts;
  CHECK(EncodeWithPieces(model, "x\xC3\xA9" "ab", workspace, cuts) == Ids({0, 3}));
  CHECK(cuts.size() == 2 && cuts[0].begin == 0 && cuts[0].end == 3 && cuts[1].begin == 3 && cuts[1].end == 5);

  options.byte_ids.assign(256, -1);
  options.byte_ids['x'] = 7;
  options.byte_ids['y'] = 8;
  const Unigram with_bytes(options);
  CHECK(Encode(with_bytes, "xya", workspace) == Ids({7, 8, 1}));
  CHECK(Encode(with_bytes, "xyza", workspace) == Ids({0, 1}));  // All bytes of a run, or none.
}

void TestNoUnknownToken() {
  Workspace workspace;
  UnigramOptions options;
  options.pieces = {{"a", 0, -1}, {"aa", 1, -1}};
  options.unknown_score = -11;
  const Unigram model(options);
  CHECK_THROWS(Encode(model, "aax", workspace), mmcore::InvalidArgument);
  CHECK(Encode(model, "aaa", workspace) == Ids({0, 1}));  // Nothing of the failure is left behind.
}

void TestAFullSinkStops() {
  Workspace workspace;
  UnigramOptions options;
  options.pieces = {{"<unk>", 0, 0}, {"a", 1, -1}};
  options.unknown_id = 0;
  options.unknown_score = -11;
  const Unigram model(options);
  for (const size_t size : {size_t{5}, size_t{100}}) {
    int32_t row[3] = {};
    TokenSink sink(row, 3);
    sink.BeginRow(3);
    const std::string text(size, 'a');
    CHECK(!model.Encode(text, text.data() + size, workspace, sink));
    CHECK(sink.size() == 3 && row[2] == 1);
  }
}

void TestLongWords() {
  Workspace workspace;
  UnigramOptions options;
  options.pieces = {{"<unk>", 0, 0}, {"a", 1, -2}, {"aa", 2, -2}, {"aaaaaaa", 3, -3}, {" ", 4, -4}};
  options.unknown_id = 0;
  options.unknown_score = -14;
  const Unigram model(options);
  const std::string text(700'001, 'a');
  CHECK(Encode(model, text, workspace) == [] {
    Ids ids(100'001, 3);
    ids[0] = 1;
    return ids;
  }());
  CHECK(Encode(model, std::string(1'000'000, 'x'), workspace) == Ids({0}));
}

void TestAgainstThePlainVersion() {
  const std::string_view letters[] = {"a", "b", "c", "\xE2\x96\x81", "\xC3\xA9", "\xF0\x9F\x98\x80", "<", "z"};
  const double scores[] = {-1, -1.5, -2, -3, 1, -0.1, -7.25, 4};
  Random random;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> texts = {"<unk>"};
    for (size_t count = 1 + random.Below(20); count > 0; --count) {
      std::string text;
      for (size_t size = 1 + random.Below(4); size > 0; --size) text += letters[random.Below(7)];
      texts.push_back(text);
    }
    UnigramOptions options;
    for (size_t i = 0; i < texts.size(); ++i) {
      options.pieces.push_back({texts[i], static_cast<int32_t>(i), i == 0 ? 0 : scores[random.Below(8)]});
    }
    options.unknown_id = 0;
    options.unknown_score = -10 - static_cast<double>(random.Below(8));
    options.sentencepiece = round % 2 == 0;
    if (round % 3 == 0) {
      for (int32_t id = 100; id < 356; ++id) options.byte_ids.push_back(id);
    }
    const Unigram model(options);
    Workspace workspace;
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (size_t size = 1 + random.Below(30); size > 0; --size) text += letters[random.Below(8)];
      const Ids expected = options.sentencepiece ? Plain<float>(options, text) : Plain<double>(options, text);
      CHECK(Encode(model, text, workspace) == expected);
      CHECK(Encode(model, text, workspace) == expected);  // Where it is short: from the cache.
      std::vector<Cut> cuts;
      CHECK(EncodeWithPieces(model, text, workspace, cuts) == expected);
      CHECK(cuts.size() == expected.size() && cuts.front().begin == 0 && cuts.back().end == text.size());
    }
  }
}

}  // namespace

int main() {
  TestTrieFindsWhatWasPutIn();
  TestUnknownCharacters();
  TestNoUnknownToken();
  TestAFullSinkStops();
  TestLongWords();
  TestAgainstThePlainVersion();
  return mmcore::testing::Report("unigram");
}
