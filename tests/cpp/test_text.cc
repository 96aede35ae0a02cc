#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"
#include "core/text/bpe_trainer.h"
#include "core/text/gpt2_pattern.h"
#include "core/text/spec.h"
#include "core/text/tokenizer.h"

namespace {

using mmcore::Span;
using mmcore::text::EncodeOptions;
using mmcore::text::Ragged;
using mmcore::text::Tokenizer;
using Texts = std::vector<std::string_view>;

// Writes the specification that core/text/spec.h describes.
class SpecWriter {
 public:
  SpecWriter& U32(size_t value) {
    for (int i = 0; i < 4; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }
  SpecWriter& U64(uint64_t value) { return U32(value & 0xFFFFFFFF).U32(value >> 32); }
  SpecWriter& Bytes(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  SpecWriter& String(std::string_view text) { return U32(text.size()).Bytes(text); }
  SpecWriter& Header(const std::vector<std::string>& tokens) {
    Bytes(std::string_view("MMTOK\0\0\0", 8)).U32(mmcore::text::kSpecVersion).U64(16'000'000).U32(0).U32(0).U32(tokens.size());
    for (const std::string& token : tokens) String(token);
    return *this;
  }
  // One step of a family, or the model.
  SpecWriter& Part(uint32_t tag, const SpecWriter& fields) {
    U32(tag).U32(fields.bytes_.size());
    bytes_.insert(bytes_.end(), fields.bytes_.begin(), fields.bytes_.end());
    return *this;
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

// Token 0 is "<s>", special, before each text; tokens 1 to 256 the bytes in order; then what training merged.
std::vector<uint8_t> BpeSpec(const Texts& corpus, size_t vocab_size) {
  mmcore::InlineExecutor executor;
  mmcore::text::BpeTrainer trainer;
  trainer.Feed(corpus, executor);
  std::vector<uint8_t> order(256);
  for (size_t i = 0; i < 256; ++i) order[i] = static_cast<uint8_t>(i);
  const mmcore::text::TrainedBpe trained = trainer.Train(vocab_size, 0, {"<s>"}, order);
  SpecWriter out, pattern, model;
  out.Header(trained.tokens);
  out.U32(1).U32(0).U32(1).String("<s>");
  out.U32(1).U32(0).U32(0);
  out.U32(0);
  out.U32(1).Part(6, pattern.U32(1).U32(0).U32(0));  // GPT-2's pattern.
  out.U32(1).Part(0, {});
  model.U32(1).U32(0xFFFFFFFF).String("").String("");
  for (size_t i = 0; i < 256; ++i) model.U32(i + 1);
  model.U32(trained.merges.size());
  for (size_t i = 0; i < trained.merges.size(); ++i) {
    model.U32(trained.merges[i].first).U32(trained.merges[i].second).U32(257 + i);
  }
  model.U32(1).U32(0).U32(0);
  return out.Part(0, model).bytes();
}

std::vector<uint8_t> WordPieceSpec() {
  SpecWriter out, normalizer, decoder, model;
  out.Header({"[PAD]", "[UNK]", "low", "##er", "e", ","});
  out.U32(0).U32(0).U32(0);
  out.U32(1).Part(9, normalizer.U32(1 | 2 | 4 | 8));
  out.U32(1).Part(0, {});
  out.U32(1).Part(1, decoder.String("##").U32(1));
  return out.Part(1, model.U32(100).U32(1).String("##").U32(0)).bytes();
}

const Texts kCorpus = {"the lower the newer", "a new low, the newest of lows", "it's 1234 widely wider"};

void TestUtf8() {
  using mmcore::utf8::Repair;
  using mmcore::utf8::ValidPrefix;
  CHECK(ValidPrefix("") == 0);
  for (size_t size = 0; size < 40; ++size) {
    std::string text(size, 'a');
    CHECK(ValidPrefix(text) == size);
    CHECK(ValidPrefix(text + "\xC3\xA9") == size + 2);
    CHECK(ValidPrefix(text + "\xC3" + text) == size);
  }
  for (const char* bad :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\x80"}) {
    CHECK(ValidPrefix(bad) == 0);
  }
  CHECK(Repair("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") ==
        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41");
  char bytes[4];
  for (uint32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const size_t size = mmcore::utf8::Encode(c, bytes);
    const mmcore::utf8::Decoded decoded = mmcore::utf8::DecodeValid(bytes);
    if (decoded.code_point != c || decoded.size != size || ValidPrefix({bytes, size}) != size) CHECK(false);
  }
}

void TestUnicodeTables() {
  using namespace mmcore::unicode;
  CHECK(Flags('a') == kLetter && Flags('0') == kNumber && (Flags(' ') & kSpace) &&
        Flags(0x4E00) & kIdeograph);
  CHECK((Flags(0x301) & kMark) && CombiningClass(0x301) == 230);
  CHECK(Nfd(0xE9).size() == 2 && Nfd(0xE9)[1] == 0x301 && Nfd('e').empty());
  CHECK(Lower(0x130).size() == 2 && Lower('a').empty());
  uint32_t parts[3];
  CHECK(NfdHangul(0xD55C, parts) == 3 && parts[0] == 0x1112 && parts[1] == 0x1161 && parts[2] == 0x11AB);
  for (uint32_t c = 0; c < 0x110000; ++c) {  // Every entry of every table is readable.
    if (CombiningClass(c) != 0 && !(Flags(c) & kMapped)) CHECK(false);
    if ((!Nfd(c).empty() || !Lower(c).empty()) && !(Flags(c) & kMapped)) CHECK(false);
  }
}

void TestPatternCutsTheWholeText() {
  for (const std::string text :
       {"I'll  go\n\n now 42!?'s", "   ", "'", " '", "a\xE3\x80\x80 \n", "'r", "'ve"}) {
    const char *p = text.data(), *end = p + text.size();
    size_t words = 0;
    for (; p < end; p = mmcore::text::gpt2::Next(p, end)) ++words;
    CHECK(p == end && words > 0);
  }
}

void TestRoundTrip() {
  const auto tok = Tokenizer::FromSpec(BpeSpec(kCorpus, 300));
  EncodeOptions options;
  const std::vector<std::string> units = {"a", " ", "new", "\xC3\xA9", "\n ", std::string(1, '\0')};
  for (size_t size : {0u, 1u, 2u, 11u, 12u, 13u, 23u, 24u, 25u, 26u, 47u, 48u, 49u, 200u, 5000u}) {
    for (const std::string& unit : units) {
      std::string text;
      while (text.size() < size) text += unit;
      CHECK(tok->Decode(tok->Encode(text, options), true) == text);
    }
  }
  CHECK(tok->Encode("a<s>", options) == (std::vector<int32_t>{0, 1 + 'a', 0}));
  options.special = mmcore::text::SpecialText::kError;
  CHECK_THROWS(tok->Encode("a<s>", options), mmcore::InvalidArgument);
  CHECK_THROWS(tok->Encode(std::string(16'000'001, 'a'), options), mmcore::LimitError);
  const std::vector<int32_t> outside = {5, 300};
  CHECK_THROWS(tok->Decode(outside, true), mmcore::InvalidArgument);
}

void TestPaddedRows() {
  const auto tok = Tokenizer::FromSpec(BpeSpec(kCorpus, 300));
  mmcore::PoolExecutor executor;
  const Texts texts = {"", "low", "the newest of lows, widely wider"};
  for (size_t width : {1u, 2u, 5u, 40u}) {
    std::vector<int32_t> ids(texts.size() * width + 1, -7);
    std::vector<char> mask(texts.size() * width + 1, 7);
    tok->EncodePadded(texts, {}, executor, {ids.data(), reinterpret_cast<bool*>(mask.data()), width});
    CHECK(ids.back() == -7 && mask.back() == 7);
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::vector<int32_t> row = tok->Encode(texts[i], {});
      for (size_t t = 0; t < width; ++t) {
        CHECK(mask[i * width + t] == (t < row.size()));
        CHECK(ids[i * width + t] == (t < row.size() ? row[t] : 0));
      }
    }
  }
  EncodeOptions options;
  options.truncate = false;
  std::vector<int32_t> ids(6);
  bool mask[6];
  CHECK_THROWS(tok->EncodePadded(texts, options, executor, {ids.data(), mask, 2}), mmcore::InvalidArgument);
  CHECK_THROWS(tok->EncodePadded(texts, options, executor, {ids.data(), mask, 0}), mmcore::InvalidArgument);
}

void TestWordPiece() {
  const auto tok = Tokenizer::FromSpec(WordPieceSpec());
  CHECK(tok->Encode("LOWER, \xC3\x89 xyz", {}) == (std::vector<int32_t>{2, 3, 5, 4, 1}));
  CHECK(tok->Encode(std::string(101, 'e'), {}) == std::vector<int32_t>{1});
  CHECK(tok->Encode("lo\xE2\x80\x8Dw", {}) == std::vector<int32_t>{2});
  const auto offsets = tok->Offsets("\xFFlow\xC3\x89", {});
  CHECK(offsets.size() == 1 && offsets[0].begin == 1 && offsets[0].end == 6);
}

void TestDamagedSpecifications() {
  for (const auto& spec : {BpeSpec(kCorpus, 280), WordPieceSpec()}) {
    for (size_t size = 0; size < spec.size(); size += size < 200 ? 1 : 37) {
      CHECK_THROWS(Tokenizer(Span<const uint8_t>(spec.data(), size)), mmcore::DataError);
    }
    uint64_t random = 1;
    for (int round = 0; round < 2000; ++round) {
      std::vector<uint8_t> copy = spec;
      random = random * 6364136223846793005u + 1442695040888963407u;
      copy[(random >> 33) % copy.size()] = static_cast<uint8_t>(random >> 25);
      try {
        const Tokenizer tok{copy};
        tok.Decode(tok.Encode("the lower \xC3\xA9<s> newest", {}), false);
      } catch (const mmcore::DataError&) {
      }
    }
  }
}

bool Same(const Ragged& a, const Ragged& b) {
  return a.row_splits == b.row_splits &&
         std::equal(a.values.data(), a.values.data() + a.values.size(), b.values.data(),
                    b.values.data() + b.values.size());
}

void TestSharedByManyThreads() {
  const auto tok = Tokenizer::FromSpec(BpeSpec(kCorpus, 300));
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back("the newest of " + std::to_string(i * 7919) + " lows");
  const Texts views(texts.begin(), texts.end());
  mmcore::InlineExecutor inline_executor;
  const auto expected = tok->EncodeRagged(views, {}, inline_executor);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      mmcore::PoolExecutor executor;
      for (int round = 0; round < 20; ++round) {
        const auto got = tok->EncodeRagged(views, {}, executor);
        if (!Same(got, expected)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

// The ids of texts of several megabytes lie in memory that is handed over; those of many threads are joined.
void TestLargeBatches() {
  const auto tok = Tokenizer::FromSpec(BpeSpec(kCorpus, 300));
  std::string text;
  while (text.size() < 300'000) text += "the newest \xC3\xA9 of " + std::to_string(text.size() * 7919) + " lows";
  const Texts views(8, text);
  mmcore::InlineExecutor inline_executor;
  const Ragged batch = tok->EncodeRagged(views, {}, inline_executor);
  const auto one = tok->Encode(text, {});
  CHECK(batch.values.size() == 8 * one.size() && batch.row_splits.back() == static_cast<int64_t>(batch.values.size()));
  CHECK(std::equal(one.begin(), one.end(), batch.values.data() + 3 * one.size()));
  mmcore::SetNumThreads(3);
  mmcore::PoolExecutor pool;
  CHECK(Same(batch, tok->EncodeRagged(views, {}, pool)));
  CHECK(tok->EncodeRagged(Texts(), {}, inline_executor).values.size() == 0);
}

void TestEqualSpecificationsShareOneTokenizer() {
  const auto spec = WordPieceSpec();
  const auto first = Tokenizer::FromSpec(spec);
  CHECK(first == Tokenizer::FromSpec(spec));
  CHECK(first != Tokenizer::FromSpec(BpeSpec(kCorpus, 280)));
}

// No sequence of edits to a text may crash it or lose bytes.
void TestRandomBytes() {
  const auto bpe = Tokenizer::FromSpec(BpeSpec(kCorpus, 300));
  const auto wordpiece = Tokenizer::FromSpec(WordPieceSpec());
  const std::string_view parts[] = {"low",          " ",
                                    "\xC3\xA9",     "\xE0\xBD\xB1\xE0\xBD\xB2",
                                    "<s>",          "'ll",
                                    "\xFF",         "\xE2\x80",
                                    "\xCD\x85",     "1",
                                    "\n",           "\xE4\xBD\x8E",
                                    "\xEA\xB0\x81", std::string_view("\0", 1)};
  uint64_t random = 7;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      text += parts[(random >> 33) % std::size(parts)];
    }
    EncodeOptions options;
    options.add_special = false;
    options.special = mmcore::text::SpecialText::kText;
    CHECK(bpe->Decode(bpe->Encode(text, options), false) == mmcore::utf8::Repair(text));
    CHECK(wordpiece->Encode(text, options).size() == wordpiece->Offsets(text, options).size());
  }
}

// WordPiece of two letters, with one added token and these lists of steps.
std::vector<uint8_t> StepSpec(std::string_view added, const SpecWriter& splitters, const SpecWriter& decoders) {
  SpecWriter spec, model;
  spec.Header({"a", "b"}).U32(1).U32(1).U32(1).String(added).U32(0).U32(0).U32(0);
  const auto append = [&](const SpecWriter& part) {
    spec.Bytes({reinterpret_cast<const char*>(part.bytes().data()), part.bytes().size()});
  };
  append(splitters);
  append(decoders);
  model.U32(100).U32(0).String("##").U32(0);
  spec.Part(1, model);
  return spec.bytes();
}

void TestSpecificationsThatWouldFillMemory() {
  const auto none = SpecWriter().U32(0);
  const auto steps = [](size_t count, uint32_t tag, const SpecWriter& fields) {
    SpecWriter parts;
    parts.U32(count);
    for (size_t i = 0; i < count; ++i) parts.Part(tag, fields);
    return parts;
  };
  CHECK_THROWS(Tokenizer(StepSpec("\xA9", none, none)), mmcore::DataError);
  CHECK(Tokenizer(StepSpec("\xC3\xA9", none, none)).Encode("\xC3\xA9", {}) == std::vector<int32_t>{1});
  const auto marks = steps(64, 7, SpecWriter().U32(1).U32(2).String("  "));
  CHECK_THROWS(Tokenizer(StepSpec("b", marks, none)), mmcore::DataError);
  const Tokenizer doubling(StepSpec("b", none, steps(64, 4, SpecWriter().String("a").String("aa"))));
  const std::vector<int32_t> ids = {0};
  CHECK_THROWS(doubling.Decode(ids, false), mmcore::LimitError);
}

}  // namespace

int main() {
  TestSpecificationsThatWouldFillMemory();
  TestUtf8();
  TestUnicodeTables();
  TestPatternCutsTheWholeText();
  TestRoundTrip();
  TestPaddedRows();
  TestWordPiece();
  TestDamagedSpecifications();
  TestSharedByManyThreads();
  TestLargeBatches();
  TestEqualSpecificationsShareOneTokenizer();
  TestRandomBytes();
  return mmcore::testing::Report("text");
}
