// mmcore._native.Tokenizer and BpeTrainer: strings of Python in, NumPy arrays out, the GIL released in
// between.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/errors.h"
#include "core/base/large_memory.h"
#include "core/base/thread_pool.h"
#include "core/base/unicode_tables.h"
#include "core/text/bpe_trainer.h"
#include "core/text/tokenizer.h"
#include "core/text/train/line_reader.h"
#include "core/text/train/wordpiece_trainer.h"
#include "python/bindings.h"
#include "python/owner.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using text::EncodeOptions;
using text::Tokenizer;

Span<const uint8_t> BytesView(const py::bytes& bytes) {
  const auto view = static_cast<std::string_view>(bytes);
  return {reinterpret_cast<const uint8_t*>(view.data()), view.size()};
}

// A str with surrogates has no UTF-8: a pair becomes the character that it stands for, a lone one U+FFFD.
py::object WithoutSurrogates(const py::handle& str) {
  const auto utf16 =
      py::reinterpret_steal<py::object>(PyUnicode_AsEncodedString(str.ptr(), "utf-16-le", "surrogatepass"));
  if (!utf16) throw py::error_already_set();
  PyObject* repaired =
      PyUnicode_Decode(PyBytes_AS_STRING(utf16.ptr()), PyBytes_GET_SIZE(utf16.ptr()), "utf-16-le", "replace");
  if (repaired == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(repaired);
}

// Views of the bytes of str and bytes objects, which it keeps alive.
class Texts {
 public:
  // One text.
  explicit Texts(const py::object& item) { Add(item); }

  // A sequence of texts; a str is refused, since each of its characters would be taken for a text.
  static Texts Many(const py::object& sequence) {
    if (PyUnicode_Check(sequence.ptr()) || PyBytes_Check(sequence.ptr())) {
      throw py::type_error(
          "texts must be a sequence of str or bytes, got one text: pass [text], or use encode(text)");
    }
    const bool iterates = Py_TYPE(sequence.ptr())->tp_iter != nullptr || PySequence_Check(sequence.ptr()) != 0;
    if (!iterates || PyDict_Check(sequence.ptr()) || PyAnySet_Check(sequence.ptr())) {
      throw py::type_error("texts must be a sequence of str or bytes, got " +
                           std::string(Py_TYPE(sequence.ptr())->tp_name));
    }
    return Texts(sequence, 0);
  }

  Span<const std::string_view> views() const { return views_; }

 private:
  // The objects of a list lie anywhere: each is touched once, and asked for some turns before. This part of a batch
  // runs on one thread.
  Texts(const py::object& sequence, int) {
    constexpr Py_ssize_t kAhead = 16;
    const auto items = py::reinterpret_steal<py::object>(PySequence_Fast(sequence.ptr(), "texts must be a sequence"));
    if (!items) throw py::error_already_set();
    const auto size = [&] { return PySequence_Fast_GET_SIZE(items.ptr()); };
    owners_.reserve(static_cast<size_t>(size()));
    views_.reserve(static_cast<size_t>(size()));
    for (Py_ssize_t i = 0; i < size(); ++i) {
      if (i + kAhead < size()) __builtin_prefetch(PySequence_Fast_GET_ITEM(items.ptr(), i + kAhead), 1);
      Add(py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(items.ptr(), i)));
    }
  }

  void Add(py::object item) {
    owners_.push_back(std::move(item));
    views_.push_back(View(owners_.back()));
  }

  std::string_view View(const py::handle& item) {
    if (PyBytes_Check(item.ptr())) {
      return {PyBytes_AS_STRING(item.ptr()), static_cast<size_t>(PyBytes_GET_SIZE(item.ptr()))};
    }
    if (!PyUnicode_Check(item.ptr())) {
      throw py::type_error("a text must be str or bytes, got " + std::string(Py_TYPE(item.ptr())->tp_name) +
                           " at position " + std::to_string(views_.size()));
    }
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(item.ptr(), &size);
    if (data == nullptr) {
      if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw py::error_already_set();
      PyErr_Clear();
      repaired_.push_back(WithoutSurrogates(item));
      data = PyUnicode_AsUTF8AndSize(repaired_.back().ptr(), &size);
      if (data == nullptr) throw py::error_already_set();
    }
    return {data, static_cast<size_t>(size)};
  }

  std::vector<py::object> owners_;
  std::vector<py::object> repaired_;
  std::vector<std::string_view> views_;
};

EncodeOptions Options(bool add_special, const std::string& special, size_t max_length = 0,
                      bool truncate = true) {
  EncodeOptions options;
  options.add_special = add_special;
  options.max_length = max_length;
  options.truncate = truncate;
  if (special == "text") {
    options.special = text::SpecialText::kText;
  } else if (special == "error") {
    options.special = text::SpecialText::kError;
  } else if (special != "parse") {
    throw InvalidArgument("special must be \"parse\", \"text\" or \"error\", got \"" + special + "\"");
  }
  return options;
}

// Takes large memory over without a copy.
py::array_t<int32_t> ToArray(LargeArray<int32_t> values) {
  const auto size = static_cast<py::ssize_t>(values.size());
  if (values.size() * sizeof(int32_t) < kLargeBytes) return py::array_t<int32_t>(size, values.data());
  auto memory = std::make_unique<LargeArray<int32_t>>(std::move(values));
  const int32_t* const data = memory->data();
  return py::array_t<int32_t>(size, data, Owner(std::move(memory)));
}

template <typename T>
py::array_t<T> ToArray(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

// ids and mask of one batch; where they are large, both in one block of memory.
struct Matrices {
  py::array_t<int32_t> ids;
  py::array_t<bool> mask;

  Matrices(size_t rows, size_t columns) {
    const std::array<size_t, 2> shape = {rows, columns};
    const size_t places = columns != 0 && rows > SIZE_MAX / 8 / columns ? SIZE_MAX / 8 : rows * columns;
    if (places * 5 < kLargeBytes || places == SIZE_MAX / 8) {  // The latter: NumPy says that it is too large.
      ids = py::array_t<int32_t>(shape);
      mask = py::array_t<bool>(shape);
      return;
    }
    auto memory = std::make_unique<LargeArray<uint8_t>>(places * 5);
    uint8_t* const data = memory->data();
    const py::capsule owner = Owner(std::move(memory));
    ids = py::array_t<int32_t>(shape, reinterpret_cast<int32_t*>(data), owner);
    mask = py::array_t<bool>(shape, reinterpret_cast<bool*>(data + places * sizeof(int32_t)), owner);
  }

  text::PaddedRows rows() {
    return {ids.mutable_data(), mask.mutable_data(), static_cast<size_t>(ids.shape(1))};
  }
  py::tuple Release() { return py::make_tuple(std::move(ids), std::move(mask)); }
};

// Rows of max_length where `pad`, else of the longest text.
py::tuple EncodeBatch(const Tokenizer& tokenizer, const py::object& sequence, size_t max_length, bool pad,
                      bool truncate, bool add_special, const std::string& special, size_t threads) {
  const EncodeOptions options = Options(add_special, special, max_length, truncate);
  const Texts texts = Texts::Many(sequence);
  if (pad && max_length != 0) {
    Matrices out(texts.views().size(), max_length);
    const text::PaddedRows rows = out.rows();
    {
      py::gil_scoped_release release;
      PoolExecutor executor(threads);
      tokenizer.EncodePadded(texts.views(), options, executor, rows);
    }
    return out.Release();
  }
  text::Ragged ragged;
  size_t width = 0;
  {
    py::gil_scoped_release release;
    PoolExecutor executor(threads);
    ragged = tokenizer.EncodeRagged(texts.views(), options, executor);
    for (size_t i = 0; i + 1 < ragged.row_splits.size(); ++i) {
      width = std::max(width, static_cast<size_t>(ragged.row_splits[i + 1] - ragged.row_splits[i]));
    }
  }
  Matrices out(texts.views().size(), width);
  const text::PaddedRows rows = out.rows();
  {
    py::gil_scoped_release release;
    PoolExecutor executor(threads);
    tokenizer.Pad(ragged, executor, rows);
  }
  return out.Release();
}

py::tuple EncodeRagged(const Tokenizer& tokenizer, const py::object& sequence, size_t max_length,
                       bool truncate, bool add_special, const std::string& special, size_t threads) {
  const EncodeOptions options = Options(add_special, special, max_length, truncate);
  const Texts texts = Texts::Many(sequence);
  text::Ragged ragged;
  {
    py::gil_scoped_release release;
    PoolExecutor executor(threads);
    ragged = tokenizer.EncodeRagged(texts.views(), options, executor);
  }
  return py::make_tuple(ToArray(std::move(ragged.values)), ToArray(ragged.row_splits));
}

std::vector<int32_t> Encode(const Tokenizer& tokenizer, const py::object& item, bool add_special,
                            const std::string& special) {
  const EncodeOptions options = Options(add_special, special);
  const Texts text(item);
  py::gil_scoped_release release;
  return tokenizer.Encode(text.views()[0], options);
}

py::array_t<int64_t> ToPairs(const std::vector<text::Offset>& offsets) {
  py::array_t<int64_t> out({static_cast<py::ssize_t>(offsets.size()), py::ssize_t{2}});
  int64_t* p = out.mutable_data();
  for (const text::Offset& offset : offsets) *p++ = offset.begin, *p++ = offset.end;
  return out;
}

py::array_t<int64_t> Offsets(const Tokenizer& tokenizer, const py::object& item, bool add_special,
                             const std::string& special) {
  const EncodeOptions options = Options(add_special, special);
  const Texts text(item);
  std::vector<text::Offset> offsets;
  {
    py::gil_scoped_release release;
    offsets = tokenizer.Offsets(text.views()[0], options);
  }
  return ToPairs(offsets);
}

py::tuple EncodeTracked(const Tokenizer& tokenizer, const py::object& item, bool add_special,
                        const std::string& special,
                        const std::vector<std::pair<int64_t, int64_t>>& plain) {
  const EncodeOptions options = Options(add_special, special);
  const Texts text(item);
  std::vector<text::Offset> parts;
  for (const auto& [begin, end] : plain) parts.push_back({begin, end});
  text::TrackedIds tracked;
  {
    py::gil_scoped_release release;
    tracked = tokenizer.EncodeTracked(text.views()[0], options, parts);
  }
  return py::make_tuple(ToArray(tracked.ids), ToPairs(tracked.offsets));
}

py::str Decode(const Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool skip_special) {
  std::string text;
  {
    py::gil_scoped_release release;
    text = tokenizer.Decode(ids, skip_special);
  }
  return text;
}

// What the decoder begins with for an id, or None where it leaves the id out or there is no token.
py::object TokenText(const Tokenizer& tokenizer, int32_t id, bool skip_special) {
  const std::string_view token = tokenizer.TokenText(id);
  if (token.empty() || (skip_special && tokenizer.IsSpecial(id))) return py::none();
  return py::bytes(token.data(), token.size());
}

// (flags, decomposition, lower case, combining class) of a code point: the tables, for the Python reference.
py::tuple CodePoint(uint32_t c) {
  if (c > 0x10FFFF) throw InvalidArgument("a code point is at most 0x10FFFF, got " + std::to_string(c));
  const auto list = [](Span<const uint32_t> parts) {
    return std::vector<uint32_t>(parts.begin(), parts.end());
  };
  uint32_t hangul[3];
  const Span<const uint32_t> nfd = unicode::IsHangulSyllable(c)
                                       ? Span<const uint32_t>(hangul, unicode::NfdHangul(c, hangul))
                                       : unicode::Nfd(c);
  return py::make_tuple(unicode::Flags(c), list(nfd), list(unicode::Lower(c)), unicode::CombiningClass(c));
}

py::tuple TrainBpe(text::BpeTrainer& trainer, size_t vocab_size, uint64_t min_frequency,
                   const std::vector<py::bytes>& reserved, const py::bytes& byte_order, size_t threads) {
  std::vector<std::string> names(reserved.begin(), reserved.end());
  text::TrainedBpe trained;
  {
    const Span<const uint8_t> order = BytesView(byte_order);
    py::gil_scoped_release release;
    PoolExecutor executor(threads);
    trained = trainer.Train(vocab_size, min_frequency, names, order, executor);
  }
  std::vector<py::bytes> tokens(trained.tokens.begin(), trained.tokens.end());
  return py::make_tuple(std::move(tokens), std::move(trained.merges));
}

}  // namespace

void BindText(py::module_& module) {
  using py::arg;
  py::class_<Tokenizer, std::shared_ptr<Tokenizer>>(module, "Tokenizer")
      .def(py::init([](const py::bytes& spec) {
             const Span<const uint8_t> bytes = BytesView(spec);
             py::gil_scoped_release release;
             return std::const_pointer_cast<Tokenizer>(Tokenizer::FromSpec(bytes));
           }),
           arg("spec"))
      .def_property_readonly("vocab_size", &Tokenizer::vocab_size)
      .def_property_readonly("num_special", &Tokenizer::num_special)
      .def("encode", &Encode, arg("text"), arg("add_special"), arg("special"))
      .def("encode_tracked", &EncodeTracked, arg("text"), arg("add_special"), arg("special"), arg("plain"))
      .def("offsets", &Offsets, arg("text"), arg("add_special"), arg("special"))
      .def("decode", &Decode, arg("ids"), arg("skip_special"))
      .def("token_text", &TokenText, arg("id"), arg("skip_special"))
      .def("batch", &EncodeBatch, arg("texts"), arg("max_length"), arg("pad"), arg("truncate"),
           arg("add_special"), arg("special"), arg("threads"))
      .def("ragged", &EncodeRagged, arg("texts"), arg("max_length"), arg("truncate"), arg("add_special"),
           arg("special"), arg("threads"));
  py::class_<text::LineReader>(module, "LineReader")
      .def(py::init<std::string, bool>(), arg("path"), arg("strict"))
      .def_property_readonly("position", &text::LineReader::position);
  py::class_<text::WordCounter>(module, "WordCounter")
      .def(
          "feed",
          [](text::WordCounter& counter, const py::object& sequence, size_t threads) {
            const Texts texts = Texts::Many(sequence);
            py::gil_scoped_release release;
            PoolExecutor executor(threads);
            counter.Feed(texts.views(), executor);
          },
          arg("texts"), arg("threads"))
      .def(
          "feed_lines",
          [](text::WordCounter& counter, text::LineReader& reader, size_t threads) {
            py::gil_scoped_release release;
            PoolExecutor executor(threads);
            return counter.FeedLines(reader, executor);
          },
          arg("reader"), arg("threads"))
      .def_property_readonly("num_words", &text::WordCounter::num_words);
  py::class_<text::BpeTrainer, text::WordCounter>(module, "BpeTrainer")
      .def(py::init<>())
      .def("train", &TrainBpe, arg("vocab_size"), arg("min_frequency"), arg("reserved"), arg("byte_order"),
           arg("threads"));
  py::class_<text::WordPieceTrainer, text::WordCounter>(module, "WordPieceTrainer")
      .def(py::init([](bool clean_text, bool split_ideographs, bool strip_accents, bool lowercase) {
             return new text::WordPieceTrainer({clean_text, split_ideographs, strip_accents, lowercase});
           }),
           arg("clean_text"), arg("split_ideographs"), arg("strip_accents"), arg("lowercase"))
      .def(
          "train",
          [](text::WordPieceTrainer& trainer, size_t vocab_size, uint64_t min_frequency, size_t alphabet_limit,
             const std::vector<std::string>& reserved, size_t threads) {
            py::gil_scoped_release release;
            PoolExecutor executor(threads);
            return trainer.Train(vocab_size, min_frequency, alphabet_limit, reserved, executor);
          },
          arg("vocab_size"), arg("min_frequency"), arg("alphabet_limit"), arg("reserved"), arg("threads"));
  module.def("code_point", &CodePoint, arg("code_point"));
}

}  // namespace mmcore::python
