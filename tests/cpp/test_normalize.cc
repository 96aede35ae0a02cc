#include <cstdint>
#include <random>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/normalize/bert_steps.h"
#include "core/text/normalize/edges.h"
#include "core/text/normalize/form.h"
#include "core/text/normalize/precompiled.h"
#include "core/text/normalize/replace.h"
#include "core/text/normalize/steps.h"

namespace {

using mmcore::text::Draft;
using mmcore::text::NormalizerSteps;

constexpr const char* kPieces[] = {
    "a", "A", " ", "  ", "\r\n", "\t", "\x01", "\xC2\x85", "\xC3\x85", "\xCC\x81", "\xCC\xA3", "\xE1\x84\x80",
    "\xE1\x85\xA1", "\xEA\xB0\x81", "\xEF\xAC\x81", "\xE6\x97\xA5", "\xE2\x80\x8D", "\xF0\x9F\x91\xA9",
};

uint32_t Below(uint32_t end, std::mt19937& random) { return static_cast<uint32_t>(random()) % end; }

std::string RandomText(std::mt19937& random) {
  std::string text;
  for (uint32_t left = Below(12, random); left > 0; --left) {
    if (random() % 4 != 0) {
      text += kPieces[Below(std::size(kPieces), random)];
      continue;
    }
    uint32_t c = Below(0x110000, random);
    if (c >= 0xD800 && c < 0xE000) c -= 0x800;
    char bytes[4];
    text.append(bytes, mmcore::utf8::Encode(c, bytes));
  }
  return text;
}

// A charsmap of random units, most of which lead somewhere or end.
std::string RandomCharsMap(std::mt19937& random) {
  const uint32_t units = 1 + Below(600, random);
  std::string blob(4 + 4 * units, '\0');
  const auto put = [&](size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) blob[at + i] = static_cast<char>(value >> (8 * i));
  };
  put(0, 4 * units);
  for (uint32_t i = 0; i < units; ++i) {
    const bool leaf = random() % 2 == 0;
    put(4 + 4 * i, leaf ? Below(512, random) << 10 | 1u << 8 | (i & 255) : static_cast<uint32_t>(random()));
  }
  return blob + std::string("ab\0\xC3\xA9\0", 6);
}

NormalizerSteps All(std::mt19937& random) {
  using namespace mmcore;
  NormalizerSteps all;
  text::AppendBert({true, true, true, true}, all);
  text::AppendNmt(all);
  using mmcore::text::CharacterSet;
  all.push_back(std::make_unique<text::ReplaceRuns>(text::SetRun{CharacterSet({{' ', ' '}, {0x85, 0xA0}}), 2, SIZE_MAX}, ""));
  all.push_back(std::make_unique<text::ReplaceRuns>(text::SetRun{CharacterSet({{0x41, 0x10FFFF}}), 1, 3}, " "));
  for (const auto form : {unicode::Form::kNfc, unicode::Form::kNfd, unicode::Form::kNfkc, unicode::Form::kNfkd}) {
    for (const auto edition : {unicode::Edition::kHuggingFace, unicode::Edition::kUnicode}) {
      all.push_back(std::make_unique<text::FormNormalizer>(form, edition));
    }
  }
  all.push_back(std::make_unique<text::StripMarks>(true));
  all.push_back(std::make_unique<text::Strip>(true, true));
  all.push_back(std::make_unique<text::Prepend>("\xE2\x96\x81"));
  all.push_back(std::make_unique<text::ReplaceString>("a", "\xC3\xA9x"));
  all.push_back(std::make_unique<text::Precompiled>(RandomCharsMap(random)));
  return all;
}

Draft Tracked(const std::string& text) {
  Draft draft;
  draft.Clear(true);
  draft.bytes = text;
  for (size_t at = 0; at < text.size(); ++at) {
    draft.origins.push_back({static_cast<int64_t>(at), static_cast<int64_t>(at + 1)});
  }
  return draft;
}

// Texts are the same with and without origins; results are valid UTF-8 with one origin inside the text a byte.
void TestAnyTextByAnyStep() {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    const NormalizerSteps all = All(random);
    for (const auto& step : all) {
      for (int i = 0; i < 20; ++i) {
        Draft plain, without, with;
        plain.bytes = RandomText(random);
        const Draft tracked = Tracked(plain.bytes);
        with.Clear(true);
        const bool changed = step->Apply(plain, without);
        CHECK(step->Apply(tracked, with) == changed);
        if (!changed) continue;
        CHECK(with.bytes == without.bytes);
        CHECK(mmcore::utf8::ValidPrefix(with.bytes) == with.bytes.size());
        CHECK(with.origins.size() == with.bytes.size() && without.origins.empty());
        for (const auto& origin : with.origins) {
          CHECK(origin.begin >= 0 && origin.begin <= origin.end);
          CHECK(origin.end <= static_cast<int64_t>(plain.bytes.size()));
        }
      }
    }
  }
}

void TestBadCharsMaps() {
  const std::string blobs[] = {"", {"\4\0\0", 3}, {"\4\0\0\0abc", 7}, {"\1\0\0\0abcd", 8}, {"\4\0\0\0abcd\xFF", 9}};
  for (const std::string& blob : blobs) {
    CHECK_THROWS(mmcore::text::Precompiled{blob}, mmcore::DataError);
  }
}

}  // namespace

int main() {
  TestAnyTextByAnyStep();
  TestBadCharsMaps();
  return mmcore::testing::Report("test_normalize");
}
