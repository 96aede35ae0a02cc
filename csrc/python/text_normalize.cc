// mmcore._native: normalization forms, the normalizers one by one for the tests that compare them, and the
// tables behind them for the Python reference.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/errors.h"
#include "core/base/grapheme_tables.h"
#include "core/base/normalization_tables.h"
#include "core/base/unicode_tables.h"
#include "core/base/utf8.h"
#include "core/text/normalize/bert_steps.h"
#include "core/text/normalize/edges.h"
#include "core/text/normalize/form.h"
#include "core/text/normalize/lowercase.h"
#include "core/text/normalize/precompiled.h"
#include "core/text/normalize/replace.h"
#include "core/text/normalize/steps.h"
#include "python/bindings.h"
#include "python/set_run.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using unicode::Edition;
using unicode::Form;

Form FormNamed(const std::string& name) {
  if (name == "NFD") return Form::kNfd;
  if (name == "NFC") return Form::kNfc;
  if (name == "NFKD") return Form::kNfkd;
  if (name == "NFKC") return Form::kNfkc;
  throw InvalidArgument("form must be 'NFC', 'NFD', 'NFKC' or 'NFKD', got '" + name + "'");
}

Edition EditionOf(bool hugging_face) { return hugging_face ? Edition::kHuggingFace : Edition::kUnicode; }

text::Draft DraftOf(const py::bytes& utf8) {
  text::Draft draft;
  draft.bytes = static_cast<std::string_view>(utf8);
  const size_t valid = utf8::ValidPrefix(draft.bytes);
  if (valid != draft.bytes.size()) throw InvalidArgument("not UTF-8 at byte " + std::to_string(valid));
  return draft;
}

// False: `in` is normalized as it is.
bool Apply(const text::Normalizer& normalizer, const text::Draft& in, text::Draft& out) {
  py::gil_scoped_release release;
  out.Clear(in.tracked);
  return normalizer.Apply(in, out);
}

// None where the text is in the form already.
py::object Normalize(const py::bytes& utf8, const std::string& form, bool hugging_face) {
  const text::FormNormalizer normalizer(FormNamed(form), EditionOf(hugging_face));
  text::Draft out;
  return Apply(normalizer, DraftOf(utf8), out) ? py::object(py::bytes(out.bytes)) : py::none();
}

// What the normalizer of a tokenizer.json does, for the tests.
struct Normalizer {
  Normalizer() = default;
  Normalizer(Normalizer&&) = default;  // Without copies, which pybind11 would otherwise try to make.

  text::NormalizerSteps steps;
};

template <typename Step, typename... Args>
Normalizer Single(Args... args) {
  Normalizer made;
  made.steps.push_back(std::make_unique<Step>(std::move(args)...));
  return made;
}

text::Draft Run(const Normalizer& normalizer, text::Draft draft) {
  text::Draft out;
  for (const auto& step : normalizer.steps) {
    if (Apply(*step, draft, out)) std::swap(draft, out);
  }
  return draft;
}

py::bytes NormalizeBySteps(const Normalizer& normalizer, const py::bytes& utf8) {
  return Run(normalizer, DraftOf(utf8)).bytes;
}

void Track(text::Draft& draft) {
  draft.tracked = true;
  for (size_t at = 0; at < draft.bytes.size();) {
    const size_t end = at + utf8::DecodeValid(draft.bytes.data() + at).size;
    draft.origins.resize(end, {static_cast<int64_t>(at), static_cast<int64_t>(end)});
    at = end;
  }
}

// The normalized text, and where each of its bytes comes from, [bytes, 2].
py::tuple NormalizeWithOrigins(const Normalizer& normalizer, const py::bytes& utf8) {
  text::Draft draft = DraftOf(utf8);
  Track(draft);
  draft = Run(normalizer, std::move(draft));
  py::array_t<int64_t> origins({static_cast<py::ssize_t>(draft.origins.size()), py::ssize_t{2}});
  int64_t* p = origins.mutable_data();
  for (const text::Offset& origin : draft.origins) {
    *p++ = origin.begin;
    *p++ = origin.end;
  }
  return py::make_tuple(py::bytes(draft.bytes), origins);
}

Normalizer ReplaceSet(const std::vector<std::pair<uint32_t, uint32_t>>& ranges, size_t least, size_t most,
                      std::string content) {
  return Single<text::ReplaceRuns>(ToSetRun(ranges, least, most), std::move(content));
}

Normalizer Bert(bool clean_text, bool space_ideographs, bool strip_accents, bool lowercase) {
  Normalizer made;
  text::AppendBert({clean_text, space_ideographs, strip_accents, lowercase}, made.steps);
  return made;
}

Normalizer Nmt() {
  Normalizer made;
  text::AppendNmt(made.steps);
  return made;
}

void CheckCodePoint(uint32_t c) {
  if (c > 0x10FFFF) throw InvalidArgument("a code point is at most 0x10FFFF, got " + std::to_string(c));
}

// (combining class, decomposition or [], bits of UnstableForms) of a code point.
py::tuple Decompose(uint32_t c, bool compatibility, bool hugging_face) {
  CheckCodePoint(c);
  const Edition edition = EditionOf(hugging_face);
  uint32_t hangul[3];
  const Span<const uint32_t> parts = unicode::IsHangulSyllable(c)
                                         ? Span<const uint32_t>(hangul, unicode::NfdHangul(c, hangul))
                                         : unicode::Decompose(c, compatibility, edition);
  return py::make_tuple(unicode::CombiningClass(c, edition), std::vector<uint32_t>(parts.begin(), parts.end()),
                        unicode::UnstableForms(c));
}

uint32_t Compose(uint32_t first, uint32_t second, bool hugging_face) {
  CheckCodePoint(first);
  CheckCodePoint(second);
  return unicode::Compose(first, second, EditionOf(hugging_face));
}

uint32_t GraphemeByte(uint32_t c) {
  CheckCodePoint(c);
  return unicode::GraphemeByte(c);
}

}  // namespace

void BindTextNormalize(py::module_& module) {
  using py::arg;
  py::class_<Normalizer>(module, "Normalizer")
      .def_static(
          "form",
          [](const std::string& name) {
            return Single<text::FormNormalizer>(FormNamed(name), Edition::kHuggingFace);
          },
          arg("form"))
      .def_static("lowercase", &Single<text::Lowercase>)
      .def_static("strip_accents", [] { return Single<text::StripMarks>(true); })
      .def_static("strip", &Single<text::Strip, bool, bool>, arg("left"), arg("right"))
      .def_static("prepend", &Single<text::Prepend, std::string>, arg("prefix"))
      .def_static("replace", &Single<text::ReplaceString, std::string, std::string>, arg("pattern"),
                  arg("content"))
      .def_static("replace_set", &ReplaceSet, arg("ranges"), arg("least"), arg("most"), arg("content"))
      .def_static("bert", &Bert, arg("clean_text"), arg("space_ideographs"), arg("strip_accents"),
                  arg("lowercase"))
      .def_static(
          "precompiled",
          [](const py::bytes& charsmap) {
            return Single<text::Precompiled>(static_cast<std::string_view>(charsmap));
          },
          arg("charsmap"))
      .def_static("nmt", &Nmt)
      .def("normalize", &NormalizeBySteps, arg("utf8"))
      .def("normalize_with_origins", &NormalizeWithOrigins, arg("utf8"));
  module.def("normalize", &Normalize, arg("utf8"), arg("form"), arg("hugging_face"));
  module.def("decompose", &Decompose, arg("code_point"), arg("compatibility"), arg("hugging_face"));
  module.def("compose", &Compose, arg("first"), arg("second"), arg("hugging_face"));
  module.def("grapheme_byte", &GraphemeByte, arg("code_point"));
}

}  // namespace mmcore::python
