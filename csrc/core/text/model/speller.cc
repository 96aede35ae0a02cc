#include "core/text/model/speller.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

bool StartsWith(std::string_view text, std::string_view part) { return text.substr(0, part.size()) == part; }

bool EndsWith(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
}

// The only character (or byte) of `text`; false where there are more, or none.
bool OnlyUnit(std::string_view text, bool byte_level, uint32_t* unit) {
  if (text.empty() || text.size() > 4) return false;
  if (byte_level) {
    *unit = static_cast<unsigned char>(text[0]);
    return text.size() == 1;
  }
  if (utf8::ValidPrefix(text) != text.size()) return false;
  const utf8::Decoded c = utf8::DecodeValid(text.data());
  *unit = c.code_point;
  return c.size == text.size();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte of a token like "<0x0A>", -1 for other tokens.
int FallbackByte(std::string_view token) {
  if (token.size() != 6 || !StartsWith(token, "<0x") || token[5] != '>') return -1;
  const int high = HexDigit(token[3]), low = HexDigit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

// Puts symbols down; the unknown token only when something that is known follows it, since more unknown
// characters may be fused with it.
class Speller::Writer {
 public:
  Writer(int32_t* ids, uint32_t* sizes, int32_t unknown_id, uint32_t& unknown_bytes)
      : ids_(ids), sizes_(sizes), unknown_id_(unknown_id), unknown_bytes_(unknown_bytes) {}

  void Put(int32_t id, size_t size) {
    if (sizes_ != nullptr) sizes_[count_] = static_cast<uint32_t>(size);
    ids_[count_++] = id;
  }

  void PutKnown(int32_t id, size_t size) {
    PutUnknown();
    Put(id, size);
  }

  void Await(size_t size, bool fuse) {
    if (!fuse) PutUnknown();
    unknown_bytes_ += static_cast<uint32_t>(size);
  }

  void PutUnknown() {
    if (unknown_bytes_ == 0) return;
    Put(unknown_id_, unknown_bytes_);
    unknown_bytes_ = 0;
  }

  size_t count() const { return count_; }

 private:
  int32_t* ids_;
  uint32_t* sizes_;
  int32_t unknown_id_;
  uint32_t& unknown_bytes_;
  size_t count_ = 0;
};

Speller::Speller(const BpeSpec& spec)
    : byte_level_(spec.byte_level),
      byte_fallback_(spec.byte_fallback),
      fuse_unknown_(spec.fuse_unknown),
      unknown_id_(spec.unknown_id),
      prefix_(spec.prefix),
      suffix_(spec.suffix) {
  for (size_t place = 0; place < kPlaces; ++place) {
    const size_t prefixed = prefix_.empty() ? 0 : place & 1, suffixed = suffix_.empty() ? 0 : place & 2;
    map_of_[place] = prefix_.empty() ? suffixed / 2 : prefixed + suffixed;
    maps_.resize(std::max(maps_.size(), map_of_[place] + 1));
  }
  fallback_ids_.fill(-1);
  for (const auto& [text, id] : spec.pieces) AddToken(text, id);
  // Only bytes that stand for a missing character may be more than its own.
  if (byte_fallback_) {
    symbols_per_byte_ += prefix_.size();
    last_symbols_ = suffix_.size();
  }
  ++last_symbols_;  // An unknown token may have been awaited by an earlier part.
}

void Speller::AddToken(std::string_view token, int32_t id) {
  for (size_t place = 0; place < kPlaces; ++place) {
    if (place > 0 && map_of_[place] == map_of_[place - 1]) continue;
    std::string_view unit_text = token;
    if (place & 1) {
      if (!StartsWith(unit_text, prefix_)) continue;
      unit_text.remove_prefix(prefix_.size());
    }
    if (place & 2) {
      if (!EndsWith(unit_text, suffix_)) continue;
      unit_text.remove_suffix(suffix_.size());
    }
    uint32_t unit;
    if (OnlyUnit(unit_text, byte_level_, &unit)) maps_[map_of_[place]].Insert(unit, id);
  }
  const int byte = byte_fallback_ ? FallbackByte(token) : -1;
  if (byte >= 0) fallback_ids_[static_cast<size_t>(byte)] = id;
}

std::vector<int32_t> Speller::Initial() const {
  std::vector<int32_t> initial;
  const auto add = [&](int32_t id) {
    if (id >= 0) initial.push_back(id);
  };
  for (const UnitMap& map : maps_) map.ForEach(add);
  for (const int32_t id : fallback_ids_) add(id);
  add(unknown_id_);
  return initial;
}

bool Speller::SpellsAll() const {
  const bool has_all = std::find(fallback_ids_.begin(), fallback_ids_.end(), -1) == fallback_ids_.end();
  return unknown_id_ >= 0 || has_all;
}

size_t Speller::Spell(std::string_view word, size_t begin, size_t end, uint32_t& unknown_bytes, int32_t* ids,
                      uint32_t* sizes) const {
  Writer out(ids, sizes, unknown_id_, unknown_bytes);
  if (byte_level_) {
    SpellUnits<true>(word, begin, end, out);
  } else {
    SpellUnits<false>(word, begin, end, out);
  }
  if (end == word.size()) out.PutUnknown();
  return out.count();
}

template <bool kBytes>
void Speller::SpellUnits(std::string_view word, size_t begin, size_t end, Writer& out) const {
  const UnitMap* map = &maps_[map_of_[begin == 0 ? 0 : 1]];
  for (size_t at = begin; at < end;) {
    uint32_t unit = static_cast<unsigned char>(word[at]);
    size_t size = 1;
    if (!kBytes && unit >= 0x80) {
      const utf8::Decoded c = utf8::DecodeValid(word.data() + at);
      unit = c.code_point;
      size = c.size;
    }
    const size_t place = (at == 0 ? 0u : 1u) + (at + size == word.size() ? 2u : 0u);
    if (place >= 2) map = &maps_[map_of_[place]];
    const int32_t id = map->Find(unit);
    if (id >= 0) {
      out.PutKnown(id, size);
    } else {
      SpellUnknown(word.substr(at, size), place, out);
    }
    if (at == 0) map = &maps_[map_of_[1]];
    at += size;
  }
}

void Speller::SpellUnknown(std::string_view unit, size_t place, Writer& out) const {
  const std::string_view parts[] = {place & 1 ? prefix_ : std::string_view(), unit,
                                    place & 2 ? suffix_ : std::string_view()};
  const auto has_id = [this](char c) { return fallback_ids_[static_cast<unsigned char>(c)] >= 0; };
  bool all = byte_fallback_;
  for (const std::string_view part : parts) all = all && std::all_of(part.begin(), part.end(), has_id);
  if (all) {
    // An unknown token that is awaited comes after these, as in Hugging Face.
    for (const std::string_view part : parts) {
      for (const char c : part) out.Put(fallback_ids_[static_cast<unsigned char>(c)], 1);
    }
  } else if (unknown_id_ >= 0) {
    out.Await(unit.size(), fuse_unknown_);
  }
}

}  // namespace text
}  // namespace mmcore
