#include "core/text/split/make.h"

#include <string>
#include <utility>

#include "core/text/spec_reader.h"
#include "core/text/split/set_splitter.h"
#include "core/text/split/splitters.h"

namespace mmcore {
namespace text {
namespace {

Behaviour ReadBehaviour(SpecReader& in) {
  const uint32_t behaviour = in.U32();
  if (behaviour > static_cast<uint32_t>(Behaviour::kContiguous)) {
    in.Fail("has the unknown behaviour " + std::to_string(behaviour));
  }
  return static_cast<Behaviour>(behaviour);
}

std::unique_ptr<const Splitter> MakeLiteral(SpecReader& in) {
  const Behaviour behaviour = ReadBehaviour(in);
  const bool invert = in.U32() & 1;
  const std::string_view literal = in.Utf8();
  if (literal.empty()) in.Fail("has an empty string to split at");
  return SplitLiteral(std::string(literal), behaviour, invert);
}

std::unique_ptr<const Splitter> MakePattern(SpecReader& in) {
  const Behaviour behaviour = ReadBehaviour(in);
  const bool invert = in.U32() & 1;
  const uint32_t pattern = in.U32();
  if (pattern >= static_cast<uint32_t>(Pattern::kCount)) {
    in.Fail("has the unknown pattern " + std::to_string(pattern));
  }
  return SplitPattern(static_cast<Pattern>(pattern), behaviour, invert);
}

std::unique_ptr<const Splitter> MakeSetRuns(SpecReader& in) {
  const Behaviour behaviour = ReadBehaviour(in);
  const uint32_t flags = in.U32();
  const bool invert = flags & 1, prefixed = flags & 2;
  SetRun run = ReadSetRun(in);
  if (!prefixed) return SplitSetRuns(std::move(run), behaviour, invert);
  if (run.least != 1) in.Fail("has a run of at least " + std::to_string(run.least) + " characters behind a prefix");
  return SplitPrefixedRuns(ReadCharacterSet(in), std::move(run), behaviour, invert);
}

std::unique_ptr<const Splitter> MakeByteRuns(SpecReader& in) {
  const Behaviour behaviour = ReadBehaviour(in);
  const bool invert = in.U32() & 1;
  ByteRun run{};
  run.least = in.U32();
  const uint32_t most = in.U32();
  run.most = most == 0xFFFFFFFF ? SIZE_MAX : most;
  if (run.least == 0 || run.least > run.most) in.Fail("has runs of bytes without a size");
  for (size_t byte = 0; byte < 256; byte += 32) {
    const uint32_t bits = in.U32();
    for (size_t i = 0; i < 32; ++i) run.set[byte + i] = bits >> i & 1;
  }
  return SplitByteRuns(run, behaviour, invert);
}

std::unique_ptr<const Splitter> MakeFixedLength(SpecReader& in) {
  const size_t length = in.U32();
  if (length == 0) in.Fail("has words of no character");
  return SplitFixedLength(length);
}

std::unique_ptr<const Splitter> Make(uint32_t tag, SpecReader& in) {
  switch (tag) {
    case kBertSplit: return SplitBert();
    case kWhitespace: return SplitWhitespace();
    case kWhitespaceSplit: return SplitOnWhitespace();
    case kPunctuation: return SplitPunctuation(ReadBehaviour(in));
    case kDigits: return SplitDigits(in.U32() & 1);
    case kSplitString: return MakeLiteral(in);
    case kSplitPattern: return MakePattern(in);
    case kFixedLength: return MakeFixedLength(in);
    case kSplitSet: return MakeSetRuns(in);
    case kSplitBytes: return MakeByteRuns(in);
    default: in.Fail("has the unknown splitter " + std::to_string(tag));
  }
}

// A part with a pattern whose matches (or, `isolated`, all words) are wanted.
bool IsPattern(const Part& part, Pattern pattern, bool isolated) {
  if (part.tag != kSplitPattern) return false;
  SpecReader in(part.fields, " of a splitter");
  const Behaviour behaviour = ReadBehaviour(in);
  const bool invert = in.U32() & 1;
  if (in.U32() != static_cast<uint32_t>(pattern)) return false;
  return isolated ? behaviour == Behaviour::kIsolated && !invert : behaviour == Behaviour::kRemoved && invert;
}

}  // namespace

std::unique_ptr<const Splitter> MakeBoth(const Part& first, const Part& second) {
  if (!IsPattern(second, Pattern::kGpt2, /*isolated=*/true)) return nullptr;
  const bool names = IsPattern(first, Pattern::kClipWithNames, /*isolated=*/false);
  if (!names && !IsPattern(first, Pattern::kClip, /*isolated=*/false)) return nullptr;
  return SplitClipAndGpt2(names);
}

std::unique_ptr<const Splitter> MakeSplitter(const Part& part) {
  SpecReader in(part.fields, " of a splitter");
  auto made = Make(part.tag, in);
  in.ExpectEnd();
  return made;
}

}  // namespace text
}  // namespace mmcore
