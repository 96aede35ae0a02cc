#include "core/text/split/set_splitter.h"

#include <utility>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/split/scanned.h"

namespace mmcore {
namespace text {
namespace {

// The first run from `p` of between `least` and `most` units that are in the set. `size_if_in(p, &in)` is the size of
// the unit at `p`, a character or a byte.
template <typename Unit>
Match NextRun(const char* p, const char* end, size_t least, size_t most, const Unit& size_if_in) {
  const char* begin = p;
  size_t count = 0;
  while (p < end) {
    bool in;
    const size_t size = size_if_in(p, &in);
    if (!in && count >= least) return {begin, p};
    p += size;
    count = in ? count + 1 : 0;
    if (!in) begin = p;
    if (count == most) return {begin, p};
  }
  return count >= least ? Match{begin, end} : Match{end, end};
}

struct SetScanner {
  SetRun run;

  Match Next(const char* p, const char* end) const {
    return NextRun(p, end, run.least, run.most, [&](const char* at, bool* in) {
      const utf8::Decoded c = utf8::DecodeValid(at);
      *in = run.set.Contains(c.code_point);
      return c.size;
    });
  }
};

struct ByteScanner {
  ByteRun run;

  Match Next(const char* p, const char* end) const {
    return NextRun(p, end, run.least, run.most, [&](const char* at, bool* in) {
      *in = run.set[static_cast<unsigned char>(*at)];
      return size_t{1};
    });
  }
};

struct PrefixedScanner {
  CharacterSet prefix;
  SetRun run;

  Match Next(const char* p, const char* end) const {
    while (p < end) {
      const utf8::Decoded c = utf8::DecodeValid(p);
      const char* const next = p + c.size;
      if (prefix.Contains(c.code_point) && Begins(next, end)) return {p, RunEnd(next, end)};
      if (run.set.Contains(c.code_point)) return {p, RunEnd(p, end)};
      p = next;
    }
    return {end, end};
  }

 private:
  bool Begins(const char* p, const char* end) const {
    return p < end && run.set.Contains(utf8::DecodeValid(p).code_point);
  }

  const char* RunEnd(const char* p, const char* end) const {
    for (size_t count = 0; count < run.most && Begins(p, end); ++count) p += utf8::DecodeValid(p).size;
    return p;
  }
};

}  // namespace

std::unique_ptr<Splitter> SplitSetRuns(SetRun run, Behaviour behaviour, bool invert) {
  return MakeScanned(SetScanner{std::move(run)}, behaviour, invert);
}

std::unique_ptr<Splitter> SplitPrefixedRuns(CharacterSet prefix, SetRun run, Behaviour behaviour, bool invert) {
  if (run.least != 1) throw InvalidArgument("a run behind a prefix must have at least 1 character, no more");
  return MakeScanned(PrefixedScanner{std::move(prefix), std::move(run)}, behaviour, invert);
}

std::unique_ptr<Splitter> SplitByteRuns(ByteRun run, Behaviour behaviour, bool invert) {
  return MakeScanned(ByteScanner{run}, behaviour, invert);
}

}  // namespace text
}  // namespace mmcore
