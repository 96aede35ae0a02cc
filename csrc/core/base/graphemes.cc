#include "core/base/grapheme_tables.h"
#include "core/base/utf8.h"

namespace mmcore {
namespace unicode {
namespace {

// What of a cluster decides whether the next character joins it. Rules are those of Annex 29.
class Cluster {
 public:
  explicit Cluster(uint8_t first) { Add(first); }

  bool Takes(uint8_t next) const {
    const Grapheme after = GraphemeClass(next);
    if (last_ == Grapheme::kControl || after == Grapheme::kControl) return false;  // GB4, GB5
    switch (after) {
      case Grapheme::kExtend:  // GB9
      case Grapheme::kZwj:
      case Grapheme::kSpacingMark:  // GB9a
        return true;
      default:
        break;
    }
    if (last_ == Grapheme::kPrepend) return true;                                    // GB9b
    if (conjunct_ == Conjunct::kLinked && (next & kConsonant)) return true;          // GB9c
    if (pictograph_ == Pictograph::kZwj) return after == Grapheme::kPictographic;    // GB11
    return JoinsHangul(after);
  }

  void Add(uint8_t next) {
    last_ = GraphemeClass(next);
    if (last_ == Grapheme::kPictographic) {
      pictograph_ = Pictograph::kOpen;
    } else if (pictograph_ == Pictograph::kOpen && last_ == Grapheme::kZwj) {
      pictograph_ = Pictograph::kZwj;
    } else if (last_ != Grapheme::kExtend || pictograph_ == Pictograph::kZwj) {
      pictograph_ = Pictograph::kNone;
    }
    if (next & kConsonant) {
      conjunct_ = Conjunct::kConsonant;
    } else if (next & kLinker) {
      if (conjunct_ != Conjunct::kNone) conjunct_ = Conjunct::kLinked;
    } else if (!(next & kConjunctExtend)) {
      conjunct_ = Conjunct::kNone;
    }
  }

 private:
  enum class Pictograph { kNone, kOpen, kZwj };
  enum class Conjunct { kNone, kConsonant, kLinked };

  bool JoinsHangul(Grapheme after) const {
    using G = Grapheme;
    switch (last_) {
      case G::kL:  // GB6
        return after == G::kL || after == G::kV || after == G::kLv || after == G::kLvt;
      case G::kV:  // GB7
      case G::kLv:
        return after == G::kV || after == G::kT;
      case G::kT:  // GB8
      case G::kLvt:
        return after == G::kT;
      default:
        return false;
    }
  }

  Grapheme last_ = Grapheme::kOther;
  Pictograph pictograph_ = Pictograph::kNone;
  Conjunct conjunct_ = Conjunct::kNone;
};

}  // namespace

size_t GraphemeEnd(std::string_view text, size_t begin) {
  const utf8::Decoded first = utf8::DecodeValid(text.data() + begin);
  size_t at = begin + first.size;
  if (first.code_point == '\r') return at < text.size() && text[at] == '\n' ? at + 1 : at;  // GB3
  Cluster cluster(GraphemeByte(first.code_point));
  while (at < text.size()) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    const uint8_t next = GraphemeByte(c.code_point);
    if (!cluster.Takes(next)) break;
    cluster.Add(next);
    at += c.size;
  }
  return at;
}

}  // namespace unicode
}  // namespace mmcore
