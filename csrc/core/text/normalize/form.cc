#include "core/text/normalize/form.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"
#include "core/text/normalize/ascii.h"
#include "core/text/normalize/rewriter.h"

namespace mmcore {
namespace text {
namespace {

using unicode::Edition;
using unicode::Form;

struct Item {
  uint32_t code_point;
  uint8_t combining_class;
  // How many characters of the text begin with it: 0 for what a decomposition adds, more where composed.
  uint32_t sources;
};

// Where the first character at `at` or later lies that is unstable, or the end of the text.
size_t FindUnstable(std::string_view text, size_t at, uint8_t mask) {
  while ((at = FindNonAscii(text, at)) < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (!(unicode::kUnstableLead[lead] & mask)) {
      at += lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      continue;
    }
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    if (unicode::UnstableForms(c.code_point) & mask) return at;
    at += c.size;
  }
  return at;
}

size_t EndOfUnstable(std::string_view text, size_t at, uint8_t mask) {
  while (at < text.size()) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    if (!(unicode::UnstableForms(c.code_point) & mask)) break;
    at += c.size;
  }
  return at;
}

size_t PreviousCharacter(std::string_view text, size_t at) {
  do --at;
  while (utf8::IsContinuation(text[at]));
  return at;
}

// What a single character decomposes to, empty where it maps to itself.
class Parts {
 public:
  Span<const uint32_t> Of(uint32_t c, Form form, Edition edition) {
    if (unicode::IsHangulSyllable(c)) return {hangul_, unicode::NfdHangul(c, hangul_)};
    return unicode::Decompose(c, unicode::IsCompatibility(form), edition);
  }

 private:
  uint32_t hangul_[3];
};

// Whether a text is normalized, seen without memory for its characters: nothing decomposes, all marks are in order,
// nothing composes. False is no answer. Most stretches are like that, ten million equal marks among them.
bool IsSurelyNormal(std::string_view text, Form form, Edition edition) {
  Parts parts;
  uint32_t starter = 0;
  uint8_t last = 0;
  bool has_starter = false, adjacent = false;
  for (size_t at = 0; at < text.size();) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    at += c.size;
    if (!parts.Of(c.code_point, form, edition).empty()) return false;
    const uint8_t combining_class = unicode::CombiningClass(c.code_point, edition);
    if (combining_class != 0 && combining_class < last) return false;
    const bool open = adjacent || (has_starter && last < combining_class);
    if (open && unicode::Composes(form) && unicode::Compose(starter, c.code_point, edition) != 0) return false;
    adjacent = combining_class == 0;
    if (adjacent) starter = c.code_point, has_starter = true;
    last = combining_class;
  }
  return true;
}

// One stretch of a text, character by character.
class Stretch {
 public:
  Stretch(Form form, Edition edition) : form_(form), edition_(edition) {}

  void Normalize(std::string_view text, size_t begin, size_t end) {
    items_.clear();
    for (size_t at = begin; at < end;) {
      const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
      Decompose(c.code_point);
      at += c.size;
    }
    Reorder();
    if (unicode::Composes(form_)) Compose();
  }

  // True where the stretch is what `text` is already.
  bool Equals(std::string_view text) const {
    for (const Item& item : items_) {
      if (text.empty()) return false;
      const utf8::Decoded c = utf8::DecodeValid(text.data());
      if (c.code_point != item.code_point) return false;
      text.remove_prefix(c.size);
    }
    return text.empty();
  }

  // What each character stands for is as in Hugging Face, which gives the characters of the text to the new ones
  // one after the other: to a composed one the first of its own, to an added one the same as to that before.
  void Write(const Draft& in, size_t begin, Draft& out) const {
    size_t at = begin;
    for (const Item& item : items_) {
      char bytes[4];
      const size_t source = item.sources == 0 && at > begin ? at - 1 : at;
      out.Put({bytes, utf8::Encode(item.code_point, bytes)}, in, source, source + 1);
      for (uint32_t i = 0; i < item.sources; ++i) at += utf8::DecodeValid(in.bytes.data() + at).size;
    }
  }

 private:
  void Decompose(uint32_t c) {
    Parts all;
    const Span<const uint32_t> parts = all.Of(c, form_, edition_);
    if (parts.empty()) items_.push_back({c, unicode::CombiningClass(c, edition_), 1});
    uint32_t sources = 1;
    for (const uint32_t part : parts) {
      items_.push_back({part, unicode::CombiningClass(part, edition_), sources});
      sources = 0;
    }
  }

  // Canonical ordering: runs of characters with a combining class are sorted by it.
  void Reorder() {
    const auto starter = [](const Item& item) { return item.combining_class == 0; };
    for (auto run = items_.begin(); run != items_.end();) {
      run = std::find_if_not(run, items_.end(), starter);
      const auto end = std::find_if(run, items_.end(), starter);
      const auto before = [](const Item& a, const Item& b) { return a.combining_class < b.combining_class; };
      if (!std::is_sorted(run, end, before)) std::stable_sort(run, end, before);
      run = end;
    }
  }

  // Canonical composition: a character joins the last starter, unless one between them blocks it.
  void Compose() {
    size_t size = 0, starter = 0;
    bool has_starter = false;
    for (const Item item : items_) {
      const bool adjacent = has_starter && size == starter + 1;
      const bool open = adjacent || (has_starter && items_[size - 1].combining_class < item.combining_class);
      const uint32_t composite =
          open ? unicode::Compose(items_[starter].code_point, item.code_point, edition_) : 0;
      if (composite != 0) {
        items_[starter].code_point = composite;
        items_[starter].sources += item.sources;
        continue;
      }
      if (item.combining_class == 0) {
        starter = size;
        has_starter = true;
      }
      items_[size++] = item;
    }
    items_.resize(size);
  }

  Form form_;
  Edition edition_;
  std::vector<Item> items_;
};

}  // namespace

bool FormNormalizer::Apply(const Draft& in, Draft& out) const {
  const std::string_view text = in.bytes;
  Rewriter rewriter(in, out);
  Stretch stretch(form_, edition_);
  for (size_t at = FindUnstable(text, 0, unstable_); at < text.size();) {
    const size_t begin = unicode::Composes(form_) && at > 0 ? PreviousCharacter(text, at) : at;
    const size_t end = EndOfUnstable(text, at, unstable_);
    const std::string_view unstable = text.substr(begin, end - begin);
    if (!IsSurelyNormal(unstable, form_, edition_)) {
      stretch.Normalize(text, begin, end);
      if (!stretch.Equals(unstable)) stretch.Write(in, begin, rewriter.Cut(begin, end));
    }
    at = FindUnstable(text, end, unstable_);
  }
  return rewriter.Finish();
}

}  // namespace text
}  // namespace mmcore
