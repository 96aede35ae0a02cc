#include <pybind11/numpy.h>

#include <cstring>

#include "core/base/errors.h"
#include "core/packing/pack.h"
#include "python/bindings.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using Ints = py::array_t<int32_t>;

py::tuple Pack(const py::array& values, const py::array_t<int64_t, py::array::c_style>& row_splits, size_t length,
               size_t rows, size_t max_segments, bool longest_first, bool truncate) {
  if (values.ndim() < 1 || !(values.flags() & py::array::c_style) || row_splits.ndim() != 1) {
    throw InvalidArgument("values must be [N, ...] and contiguous, row_splits [B + 1]");
  }
  const Span<const int64_t> splits(row_splits.data(), static_cast<size_t>(row_splits.size()));
  const packing::Options options = {length, rows, max_segments, longest_first, truncate};
  const auto num_values = static_cast<size_t>(values.shape(0));
  packing::Plan plan;
  {
    const py::gil_scoped_release release;
    plan = packing::MakePlan(splits, num_values, options);
  }
  const std::vector<py::ssize_t> shape = {static_cast<py::ssize_t>(plan.rows), static_cast<py::ssize_t>(length)};
  std::vector<py::ssize_t> packed_shape = shape;
  size_t element_bytes = static_cast<size_t>(values.itemsize());
  for (py::ssize_t axis = 1; axis < values.ndim(); ++axis) {
    packed_shape.push_back(values.shape(axis));
    element_bytes *= static_cast<size_t>(values.shape(axis));
  }
  py::array packed(values.dtype(), packed_shape);
  Ints segment_ids(shape), positions(shape), places({static_cast<py::ssize_t>(plan.places.size()), py::ssize_t{2}});
  const void* from = values.data();
  const packing::Rows out = {packed.mutable_data(), segment_ids.mutable_data(), positions.mutable_data()};
  int32_t* places_out = places.mutable_data();
  {
    const py::gil_scoped_release release;
    packing::Write(plan, splits, length, from, element_bytes, out);
    static_assert(sizeof(packing::Place) == 2 * sizeof(int32_t), "places are copied as pairs");
    if (!plan.places.empty()) std::memcpy(places_out, plan.places.data(), plan.places.size() * sizeof(packing::Place));
  }
  return py::make_tuple(packed, segment_ids, positions, places);
}

}  // namespace

void BindPacking(py::module_& module) {
  module.def("pack", &Pack, py::arg("values").noconvert(), py::arg("row_splits"), py::arg("length"), py::arg("rows"),
             py::arg("max_segments"), py::arg("longest_first"), py::arg("truncate"));
}

}  // namespace mmcore::python
