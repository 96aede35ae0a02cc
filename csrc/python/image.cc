#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/resize.h"
#include "python/bindings.h"
#include "python/image_arrays.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using Window = std::array<size_t, 4>;  // full height, full width, top, left

image::Box BoxOf(const std::array<double, 4>& box) {
  return {static_cast<float>(box[0]), static_cast<float>(box[1]), static_cast<float>(box[2]),
          static_cast<float>(box[3])};
}

Bytes Resize(const Bytes& array, size_t height, size_t width, const std::string& method,
             const std::optional<std::array<double, 4>>& box, const std::string& isa) {
  image::ResizeItem item = image::WholeImage(View(array), height, width);
  if (box) item.box = BoxOf(*box);
  const image::ResizeOptions options = {height, width, image::ParseFilter(method), IsaOf(isa)};
  Bytes out({static_cast<py::ssize_t>(height), static_cast<py::ssize_t>(width), array.shape(2)});
  uint8_t* data = out.mutable_data();
  py::gil_scoped_release release;
  image::Resize(item, options, data);
  return out;
}

std::vector<image::ResizeItem> Items(const std::vector<Bytes>& images,
                                     const std::vector<std::array<double, 4>>& boxes,
                                     const std::vector<Window>& windows, const std::vector<bool>& flips) {
  const size_t count = images.size();
  if (boxes.size() != count || windows.size() != count || flips.size() != count) {
    throw InvalidArgument("images, boxes, windows and flips must have the same length");
  }
  std::vector<image::ResizeItem> items(count);
  for (size_t i = 0; i < count; ++i) {
    items[i] = {View(images[i]), BoxOf(boxes[i]), windows[i][0], windows[i][1],
                windows[i][2],   windows[i][3],   flips[i]};
  }
  return items;
}

image::Layout LayoutOf(const std::string& name) {
  if (name == "NHWC") return image::Layout::kNhwc;
  if (name == "NCHW") return image::Layout::kNchw;
  throw InvalidArgument("layout must be 'NHWC' or 'NCHW', got '" + name + "'");
}

// `out` is [B, height, width, C] or [B, C, height, width] of the element type that `dtype` names.
void ResizeBatch(const std::vector<Bytes>& images, const std::vector<std::array<double, 4>>& boxes,
                 const std::vector<Window>& windows, const std::vector<bool>& flips,
                 const std::string& method, const image::Normalization& normalization,
                 const std::string& layout, const std::string& dtype, size_t threads, py::array out,
                 const std::string& isa) {
  const std::vector<image::ResizeItem> items = Items(images, boxes, windows, flips);
  const image::BatchFormat format = {DTypeOf(dtype), LayoutOf(layout)};
  const bool planar = format.layout == image::Layout::kNchw;
  const auto shape = [&](int axis) { return static_cast<size_t>(out.shape(axis)); };
  if (static_cast<size_t>(out.itemsize()) != image::ElementSize(format.dtype) || out.ndim() != 4 ||
      shape(0) != items.size() || shape(planar ? 1 : 3) != normalization.channels ||
      !(out.flags() & py::array::c_style) || !out.writeable()) {
    const std::string channels = std::to_string(normalization.channels);
    throw InvalidArgument("out must be a writable C-contiguous " + dtype + " array [" +
                          std::to_string(items.size()) + ", " +
                          (planar ? channels + ", height, width]" : "height, width, " + channels + "]"));
  }
  const image::ResizeOptions options = {shape(planar ? 2 : 1), shape(planar ? 3 : 2),
                                        image::ParseFilter(method), IsaOf(isa)};
  void* data = out.mutable_data();
  py::gil_scoped_release release;
  PoolExecutor executor(threads);
  image::ResizeBatch(items, options, normalization, format, data, executor);
}

py::array_t<float> NormalizationTable(const image::Normalization& normalization) {
  return py::array_t<float>({normalization.channels, size_t{256}}, &normalization.table[0][0]);
}

}  // namespace

void BindImage(py::module_& module) {
  module.def("image_resize", &Resize, py::arg("image").noconvert(), py::arg("height"), py::arg("width"),
             py::arg("method"), py::arg("box") = py::none(), py::arg("isa") = "");
  module.def("image_resize_batch", &ResizeBatch, py::arg("images"), py::arg("boxes"), py::arg("windows"),
             py::arg("flips"), py::arg("method"), py::arg("normalization"), py::arg("layout"), py::arg("dtype"),
             py::arg("threads"), py::arg("out").noconvert(), py::arg("isa") = "");
  py::class_<image::Normalization>(module, "ImageNormalization")
      .def(py::init([](const std::vector<double>& mean, const std::vector<double>& std) {
             return image::Normalization(Span<const double>(mean), Span<const double>(std));
           }),
           py::arg("mean"), py::arg("std"))
      .def_property_readonly("channels", [](const image::Normalization& self) { return self.channels; })
      .def("table", &NormalizationTable);
}

}  // namespace mmcore::python
