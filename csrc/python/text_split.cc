// mmcore._native.Splitter and word_classes: the pre-tokenizers one by one, for the tests that compare them.
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
#include "core/text/split/set_splitter.h"
#include "core/text/split/splitters.h"
#include "core/text/split/word_tables.h"
#include "python/bindings.h"
#include "python/set_run.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using text::Behaviour;
using text::Splitter;

Behaviour ToBehaviour(uint32_t number) {
  if (number > 4) throw InvalidArgument("a behaviour is 0 to 4, got " + std::to_string(number));
  return static_cast<Behaviour>(number);
}

// Byte offsets of the words of a text, [words, 2].
py::array_t<int64_t> Split(const Splitter& splitter, const std::string& item) {
  std::vector<text::Cut> words;
  {
    py::gil_scoped_release release;
    if (utf8::ValidPrefix(item) != item.size()) throw InvalidArgument("the text must be valid UTF-8");
    splitter.Split(item, 0, item.size(), words);
  }
  py::array_t<int64_t> out({static_cast<py::ssize_t>(words.size()), py::ssize_t{2}});
  int64_t* p = out.mutable_data();
  for (const text::Cut& word : words) {
    *p++ = static_cast<int64_t>(word.begin);
    *p++ = static_cast<int64_t>(word.end);
  }
  return out;
}

uint32_t WordClasses(uint32_t c) {
  if (c > 0x10FFFF) throw InvalidArgument("a code point is at most 0x10FFFF, got " + std::to_string(c));
  return text::words::Classes(c);
}

// First and last of each run of code points that have one of the classes.
std::vector<std::pair<uint32_t, uint32_t>> RangesOfClass(uint32_t classes) {
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if ((text::words::Classes(c) & classes) == 0) continue;
    if (!ranges.empty() && ranges.back().second + 1 == c) {
      ranges.back().second = c;
    } else {
      ranges.emplace_back(c, c);
    }
  }
  return ranges;
}

}  // namespace

void BindTextSplit(py::module_& module) {
  using py::arg;
  py::class_<Splitter>(module, "Splitter")
      .def_static(
          "pattern",
          [](uint32_t pattern, uint32_t behaviour, bool invert) {
            return text::SplitPattern(static_cast<text::Pattern>(pattern), ToBehaviour(behaviour), invert);
          },
          arg("pattern"), arg("behaviour"), arg("invert"))
      .def_static(
          "literal",
          [](std::string literal, uint32_t behaviour, bool invert) {
            return text::SplitLiteral(std::move(literal), ToBehaviour(behaviour), invert);
          },
          arg("literal"), arg("behaviour"), arg("invert"))
      .def_static(
          "set_runs",
          [](const std::vector<std::pair<uint32_t, uint32_t>>& ranges, size_t least, size_t most,
             uint32_t behaviour, bool invert) {
            return text::SplitSetRuns(ToSetRun(ranges, least, most), ToBehaviour(behaviour), invert);
          },
          arg("ranges"), arg("least"), arg("most"), arg("behaviour"), arg("invert"))
      .def_static(
          "prefixed_runs",
          [](const std::vector<std::pair<uint32_t, uint32_t>>& prefix,
             const std::vector<std::pair<uint32_t, uint32_t>>& ranges, size_t most, uint32_t behaviour,
             bool invert) {
            return text::SplitPrefixedRuns(ToSetRun(prefix, 1, 0).set, ToSetRun(ranges, 1, most),
                                           ToBehaviour(behaviour), invert);
          },
          arg("prefix"), arg("ranges"), arg("most"), arg("behaviour"), arg("invert"))
      .def_static("whitespace", &text::SplitWhitespace)
      .def_static("on_whitespace", &text::SplitOnWhitespace)
      .def_static(
          "punctuation", [](uint32_t behaviour) { return text::SplitPunctuation(ToBehaviour(behaviour)); },
          arg("behaviour"))
      .def_static("digits", &text::SplitDigits, arg("individual"))
      .def_static("bert", &text::SplitBert)
      .def_static("fixed_length", &text::SplitFixedLength, arg("length"))
      .def("split", &Split, arg("text"));
  module.def("word_classes", &WordClasses, arg("code_point"));
  module.def("ranges_of_class", &RangesOfClass, arg("classes"));
}

}  // namespace mmcore::python
