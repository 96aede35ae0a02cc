// Changes tokenizer specifications and texts by chance and runs the text core on them: nothing but a typed error
// may come out, and the ways to encode a text must agree. Built and run by run.sh under sanitizers:
//   fuzz_text FOLDER [SECONDS [SEED [CASE]]]
// FOLDER has *.spec and *.txt to begin with (fuzz_text_seeds.py writes them). SEED and CASE, as a failure prints
// them, repeat that one.
#include <csignal>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/executor.h"
#include "core/base/utf8.h"
#include "core/text/tokenizer.h"
#include "fuzz_base.h"
#include "fuzz_checks.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace {

using fuzz::Dice;
using fuzz::Expect;
using fuzz::Runs;
using mmcore::text::EncodeOptions;
using mmcore::text::Offset;
using mmcore::text::SpecialText;
using mmcore::text::Tokenizer;

constexpr unsigned kSecondsPerCase = 60;

uint64_t g_seed = 1, g_case = 0;

void PrintCase() {
  std::fprintf(stderr, "fuzz_text: seed %llu, case %llu\n", static_cast<unsigned long long>(g_seed),
               static_cast<unsigned long long>(g_case));
}

void OnAlarm(int) {
  std::fprintf(stderr, "fuzz_text: a case took more than %u seconds\n", kSecondsPerCase);
  PrintCase();
  std::abort();
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The files of `folder` with this extension, in the order of their names.
std::vector<std::string> ReadFiles(const std::string& folder, const std::string& extension) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == extension) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> contents;
  for (const auto& path : paths) contents.push_back(ReadFile(path));
  if (contents.empty()) throw std::runtime_error("no *" + extension + " in " + folder);
  return contents;
}

struct Range {
  size_t at, size;
};

Range PickRange(const std::string& bytes, Dice& dice, size_t limit) {
  const size_t at = dice.Below(bytes.size() + 1);
  return {at, std::min(dice.Size(limit), bytes.size() - at)};
}

void WriteInteger(std::string& bytes, Dice& dice) {
  constexpr uint64_t kWild[] = {0,          1,          2,          3,           0x7F,        0xFF,
                                0xFFFF,     65536,      65537,      2'000'000,   2'000'001,   0x7FFFFFFF,
                                0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, ~uint64_t{0}};
  const uint64_t value = kWild[dice.Below(std::size(kWild))];
  const size_t size = dice.OneIn(4) ? 8 : 4;
  if (bytes.size() < size) return;
  const size_t at = dice.Below(bytes.size() - size + 1);
  for (size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

void AddToInteger(std::string& bytes, Dice& dice) {
  if (bytes.empty()) return;
  char& byte = bytes[dice.Below(bytes.size())];
  byte = static_cast<char>(byte + static_cast<int>(dice.Below(9)) - 4);
}

// One change that knows nothing of what the bytes mean.
void ChangeBytes(std::string& bytes, Dice& dice) {
  switch (dice.Below(7)) {
    case 0:
      if (!bytes.empty()) bytes[dice.Below(bytes.size())] ^= static_cast<char>(1 << dice.Below(8));
      return;
    case 1: WriteInteger(bytes, dice); return;
    case 2: AddToInteger(bytes, dice); return;
    case 3: {
      const Range range = PickRange(bytes, dice, 64);
      bytes.erase(range.at, range.size);
      return;
    }
    case 4: {
      const Range range = PickRange(bytes, dice, 64);
      bytes.insert(dice.Below(bytes.size() + 1), bytes.substr(range.at, range.size));
      return;
    }
    case 5: {  // A copy over something else: sizes stay right.
      const Range range = PickRange(bytes, dice, 32);
      bytes.replace(dice.Below(bytes.size() - range.size + 1), range.size, bytes.substr(range.at, range.size));
      return;
    }
    default:
      if (dice.OneIn(4)) bytes.resize(dice.Below(bytes.size() + 1));
  }
}

// What texts are made of besides the seeds: the edges of UTF-8 and of Unicode, and what components look for.
std::string Fragment(Dice& dice) {
  static const std::vector<std::string> kFragments = {
      " ",          "  ",           "\t\r\n",       std::string(1, '\0'), "\xC3\xA9",     "e\xCC\x81",
      "\xEF\xBF\xBD", "\xED\xA0\x80", "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9", "\xE4\xB8\xAD\xE6\x96\x87",
      "\xF4\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xC0\x80",   "\xFF",         "\x80",         "\xE2\x96",
      "\xE2\x96\x81", "<s>",          "</s>",         "<unk>",        "[UNK]",        "[MASK]",
      "##a",        "'ll",          "don't",        "1234567",      "\xC4\xB0",     "\xEA\xB0\x80\xE1\x86\xA8",
      "\xE2\x80\xA8", "\xC2\xA0",     "\xE3\x80\x80",  "...!?",        "lower",        "aaaaaaaa"};
  return kFragments[dice.Below(kFragments.size())];
}

void ChangeText(std::string& text, Dice& dice) {
  switch (dice.Below(5)) {
    case 0: ChangeBytes(text, dice); return;
    case 1: text.insert(dice.Below(text.size() + 1), std::string(1, static_cast<char>(dice.Below(256)))); return;
    case 2: {  // A stretch, again and again.
      const Range range = PickRange(text, dice, 12);
      const std::string unit = dice.OneIn(2) ? Fragment(dice) : text.substr(range.at, range.size);
      std::string repeated;
      for (size_t n = dice.Size(dice.OneIn(20) ? 4000 : 60); n > 0; --n) repeated += unit;
      text.insert(range.at, repeated);
      return;
    }
    default: text.insert(dice.Below(text.size() + 1), Fragment(dice));
  }
}

std::string MakeText(const std::vector<std::string>& seeds, Dice& dice) {
  const std::string& seed = seeds[dice.Below(seeds.size())];
  const Range range = PickRange(seed, dice, 400);
  std::string text = seed.substr(range.at, range.size);
  for (size_t n = dice.Below(8); n > 0; --n) ChangeText(text, dice);
  return text;
}

EncodeOptions MakeOptions(Dice& dice) {
  EncodeOptions options;
  options.add_special = !dice.OneIn(3);
  constexpr SpecialText kRules[] = {SpecialText::kParse, SpecialText::kParse, SpecialText::kText,
                                    SpecialText::kError};
  options.special = kRules[dice.Below(std::size(kRules))];
  options.max_length = dice.OneIn(2) ? 0 : dice.Below(40);
  options.truncate = !dice.OneIn(4);
  return options;
}

void CheckOffsets(const mmcore::text::TrackedIds& tracked, size_t size) {
  Expect(tracked.ids.size() == tracked.offsets.size(), "each id has an offset");
  for (const Offset& offset : tracked.offsets) {
    Expect(0 <= offset.begin && offset.begin <= offset.end, "an offset begins before its end");
    Expect(offset.end <= static_cast<int64_t>(size), "offsets lie in the text");
  }
}

void CheckOneText(const Tokenizer& tokenizer, const std::string& text, EncodeOptions options,
                  std::vector<int32_t>& ids) {
  Runs([&] { tokenizer.Encode(text, options); });
  options.max_length = 0;
  const bool encoded = Runs([&] { ids = tokenizer.Encode(text, options); });
  const bool tracked = Runs([&] {
    const mmcore::text::TrackedIds found = tokenizer.EncodeTracked(text, options, {});
    Expect(encoded, "a text that can be encoded with offsets can be encoded");
    Expect(found.ids == ids, "ids are the same with offsets");
    CheckOffsets(found, text.size());
  });
  Expect(tracked == encoded, "a text that can be encoded can be encoded with offsets");
  const std::vector<Offset> plain = {{0, static_cast<int64_t>(text.size() / 2)}};
  Runs([&] { tokenizer.EncodeTracked(text, options, plain); });
}

void CheckBatch(const Tokenizer& tokenizer, const std::vector<std::string_view>& texts, EncodeOptions options,
                Dice& dice) {
  mmcore::InlineExecutor executor;
  const size_t width = dice.Below(33);
  // Just as large as it must be, so that a sanitizer sees what is written behind it.
  std::vector<int32_t> ids(texts.size() * width);
  const auto mask = std::make_unique<bool[]>(texts.size() * width);
  options.max_length = width;
  const bool padded =
      Runs([&] { tokenizer.EncodePadded(texts, options, executor, {ids.data(), mask.get(), width}); });
  if (width == 0) return;
  mmcore::text::Ragged rows;
  const bool ragged = Runs([&] { rows = tokenizer.EncodeRagged(texts, options, executor); });
  Expect(padded == ragged, "padded and ragged rows fail alike");
  if (!ragged) return;
  std::vector<int32_t> again(ids.size());
  const auto again_mask = std::make_unique<bool[]>(texts.size() * width);
  tokenizer.Pad(rows, executor, {again.data(), again_mask.get(), width});
  Expect(again == ids, "padded rows are the ragged ones");
  Expect(std::equal(mask.get(), mask.get() + ids.size(), again_mask.get()), "so is their mask");
}

void CheckDecode(const Tokenizer& tokenizer, std::vector<int32_t> ids, Dice& dice) {
  for (size_t n = dice.Below(20); n > 0; --n) {
    const size_t id = dice.OneIn(30) ? dice.Below(size_t{1} << 32) : dice.Below(tokenizer.vocab_size());
    ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(dice.Below(ids.size() + 1)),
               static_cast<int32_t>(static_cast<uint32_t>(id)));
  }
  Runs([&] {
    const std::string text = tokenizer.Decode(ids, dice.OneIn(2));
    Expect(mmcore::utf8::ValidPrefix(text) == text.size(), "decoded text is UTF-8");
  });
}

void CheckTokenizer(const Tokenizer& tokenizer, const std::vector<std::string>& texts, Dice& dice) {
  const EncodeOptions options = MakeOptions(dice);
  std::vector<int32_t> ids;
  CheckOneText(tokenizer, texts[0], options, ids);
  CheckBatch(tokenizer, {texts.begin(), texts.end()}, options, dice);
  if (dice.OneIn(8)) fuzz::CheckThreads(tokenizer, texts, options);
  if (dice.OneIn(8)) fuzz::CheckTrainers({texts.begin(), texts.end()}, dice);
  fuzz::CheckDecodeRows(tokenizer, ids, dice);
  CheckDecode(tokenizer, std::move(ids), dice);
}

class Fuzzer {
 public:
  explicit Fuzzer(const std::string& folder)
      : specs_(ReadFiles(folder, ".spec")), texts_(ReadFiles(folder, ".txt")) {
    for (const std::string& spec : specs_) {
      seeds_.push_back(Make(spec));
    }
  }

  void RunCase() {
    alarm(kSecondsPerCase);
    Dice dice(g_seed * 0x9E3779B97F4A7C15 + g_case);
    std::vector<std::string> texts;
    for (size_t n = 1 + dice.Below(3); n > 0; --n) texts.push_back(MakeText(texts_, dice));
    const size_t which = dice.Below(specs_.size());
    if (dice.OneIn(3)) {
      CheckTokenizer(*seeds_[dice.Below(seeds_.size())], texts, dice);
      return;
    }
    std::string spec = specs_[which];
    for (size_t n = 1 + dice.Below(3); n > 0; --n) ChangeBytes(spec, dice);
    std::unique_ptr<Tokenizer> changed;
    if (!Runs([&] { changed = Make(spec); })) return;
    ++accepted_;
    CheckTokenizer(*changed, texts, dice);
  }

  size_t accepted() const { return accepted_; }

 private:
  static std::unique_ptr<Tokenizer> Make(const std::string& spec) {
    return std::make_unique<Tokenizer>(
        mmcore::Span<const uint8_t>(reinterpret_cast<const uint8_t*>(spec.data()), spec.size()));
  }

  const std::vector<std::string> specs_, texts_;
  std::vector<std::unique_ptr<Tokenizer>> seeds_;
  size_t accepted_ = 0;
};

int Run(int argc, char** argv) {
  const auto number = [&](int i, uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  if (argc < 2) throw std::runtime_error("usage: fuzz_text FOLDER [SECONDS [SEED [CASE]]]");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(number(2, 10));
  g_seed = number(3, 1);
  Fuzzer fuzzer(argv[1]);
  if (argc > 4) {
    g_case = number(4, 0);
    fuzzer.RunCase();
    return 0;
  }
  for (; std::chrono::steady_clock::now() < end; ++g_case) fuzzer.RunCase();
  std::printf("fuzz_text: %llu cases of seed %llu, %zu changed specifications were accepted, 0 failed\n",
              static_cast<unsigned long long>(g_case), static_cast<unsigned long long>(g_seed), fuzzer.accepted());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGALRM, OnAlarm);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  __sanitizer_set_death_callback(PrintCase);
#endif
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_text: %s\n", error.what());
    PrintCase();
    return 1;
  }
}
