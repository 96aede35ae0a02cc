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

namespace py = pybind11;

namespace mmcore::python {
namespace {

using Bytes = py::array_t<uint8_t>;
using Window = std::array<size_t, 4>;  // full height, full width, top, left

Isa IsaOf(const std::string& name) {
  return name.empty() ? ActiveIsa() : ParseIsa(name);
}

// NumPy leaves the strides of axes of length 1 and of empty arrays undefined; the core refuses empty images.
image::ImageView View(const Bytes& array) {
  const auto stride_is = [&](int axis, py::ssize_t wanted) {
    return array.size() == 0 || array.shape(axis) == 1 || array.strides(axis) == wanted;
  };
  if (array.ndim() != 3 || !stride_is(2, 1) || !stride_is(1, array.shape(2)) ||
      (!stride_is(0, 0) && array.strides(0) < array.shape(1) * array.shape(2))) {
    throw InvalidArgument("an image must be a uint8 array [height, width, channels] with contiguous rows");
  }
  const auto shape = [&](int axis) { return static_cast<size_t>(array.shape(axis)); };
  const size_t row_stride = shape(0) > 1 ? static_cast<size_t>(array.strides(0)) : shape(1) * shape(2);
  return {array.data(), shape(0), shape(1), shape(2), row_stride};
}

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

// `out` is [B, height, width, 3]: float32 is normalised, uint8 is not.
void ResizeBatch(const std::vector<Bytes>& images, const std::vector<std::array<double, 4>>& boxes,
                 const std::vector<Window>& windows, const std::vector<bool>& flips,
                 const std::string& method, const std::array<double, 3>& mean,
                 const std::array<double, 3>& std, size_t threads, py::array out, const std::string& isa) {
  const std::vector<image::ResizeItem> items = Items(images, boxes, windows, flips);
  const bool is_float = py::isinstance<py::array_t<float>>(out);
  const auto shape = [&](int axis) { return static_cast<size_t>(out.shape(axis)); };
  if ((!is_float && !py::isinstance<Bytes>(out)) || out.ndim() != 4 || shape(0) != items.size() ||
      shape(3) != 3 || !(out.flags() & py::array::c_style) || !out.writeable()) {
    throw InvalidArgument("out must be a writable C-contiguous float32 or uint8 array [" +
                          std::to_string(items.size()) + ", height, width, 3]");
  }
  const image::ResizeOptions options = {shape(1), shape(2), image::ParseFilter(method), IsaOf(isa)};
  void* data = out.mutable_data();
  const image::Normalization normalization(mean, std);
  py::gil_scoped_release release;
  PoolExecutor executor(threads);
  if (is_float) {
    image::ResizeNormalizeBatch(items, options, normalization, static_cast<float*>(data), executor);
  } else {
    image::ResizeBatch(items, options, static_cast<uint8_t*>(data), executor);
  }
}

py::array_t<float> NormalizationTable(const std::array<double, 3>& mean, const std::array<double, 3>& std) {
  const image::Normalization normalization(mean, std);
  return py::array_t<float>({3, 256}, &normalization.table[0][0]);
}

}  // namespace

void BindImage(py::module_& module) {
  module.def("image_resize", &Resize, py::arg("image").noconvert(), py::arg("height"), py::arg("width"),
             py::arg("method"), py::arg("box") = py::none(), py::arg("isa") = "");
  module.def("image_resize_batch", &ResizeBatch, py::arg("images"), py::arg("boxes"), py::arg("windows"),
             py::arg("flips"), py::arg("method"), py::arg("mean"), py::arg("std"), py::arg("threads"),
             py::arg("out").noconvert(), py::arg("isa") = "");
  module.def("image_normalization_table", &NormalizationTable, py::arg("mean"), py::arg("std"));
}

}  // namespace mmcore::python
