// mmcore._native.decode_rows: arrays of ids in, a list of str out, the GIL released in between.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/text/decode/rows.h"
#include "python/bindings.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

template <typename T>
using Contiguous = py::array_t<T, py::array::c_style>;

template <typename T>
Span<const T> View(const Contiguous<T>& array) {
  return {array.data(), static_cast<size_t>(array.size())};
}

// ids [B, T] with a mask or none, or ids [N] with row_splits; the caller has checked the shapes.
template <typename Id>
py::list DecodeRows(const text::Tokenizer& tokenizer, const Contiguous<Id>& ids,
                    const std::optional<Contiguous<bool>>& mask,
                    const std::optional<Contiguous<int64_t>>& row_splits, bool skip_special, size_t threads) {
  text::IdRows<Id> rows;
  rows.ids = View(ids);
  if (mask) rows.mask = mask->data();
  if (row_splits) {
    rows.row_splits = View(*row_splits);
    rows.num_rows = rows.row_splits.size() - 1;
  } else {
    rows.num_rows = static_cast<size_t>(ids.shape(0));
    rows.width = static_cast<size_t>(ids.shape(1));
  }
  std::vector<std::string> texts(rows.num_rows);
  {
    py::gil_scoped_release release;
    PoolExecutor executor(threads);
    text::DecodeRows(tokenizer, rows, skip_special, executor,
                     [&](size_t row, std::string_view text) { texts[row] = text; });
  }
  py::list out(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) out[i] = py::str(texts[i]);
  return out;
}

}  // namespace

void BindTextDecode(py::module_& module) {
  using py::arg;
  // int32 first: an array of another type is refused rather than converted, so the order decides nothing else.
  module.def("decode_rows", &DecodeRows<int32_t>, arg("tokenizer"), arg("ids").noconvert(), arg("mask"),
             arg("row_splits"), arg("skip_special"), arg("threads"));
  module.def("decode_rows", &DecodeRows<int64_t>, arg("tokenizer"), arg("ids").noconvert(), arg("mask"),
             arg("row_splits"), arg("skip_special"), arg("threads"));
}

}  // namespace mmcore::python
