#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/patches.h"
#include "python/bindings.h"
#include "python/image_arrays.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

// `out` is [B, max_patches, patch_size x patch_size x C] of the element type that `dtype` names, `shapes` [B, 2].
void Patches(const std::vector<Bytes>& images, size_t patch_size, size_t max_patches, const std::string& method,
             const image::Normalization& normalization, const std::string& dtype, size_t threads, py::array out,
             py::array_t<int32_t, py::array::c_style> shapes, const std::string& isa) {
  const image::PatchOptions options = {patch_size, max_patches, image::ParseFilter(method), DTypeOf(dtype),
                                       IsaOf(isa)};
  const size_t part = image::PatchBytes(options, normalization.channels);
  std::vector<image::ImageView> views;
  for (const Bytes& array : images) views.push_back(View(array));
  const auto shape = [&](int axis) { return static_cast<size_t>(out.shape(axis)); };
  const size_t length = patch_size * patch_size * normalization.channels;
  if (out.ndim() != 3 || shape(0) != views.size() || shape(1) != max_patches || shape(2) != length ||
      static_cast<size_t>(out.itemsize()) * max_patches * length != part || !(out.flags() & py::array::c_style) ||
      !out.writeable() || shapes.ndim() != 2 || static_cast<size_t>(shapes.shape(0)) != views.size() ||
      shapes.shape(1) != 2) {
    throw InvalidArgument("out must be a writable C-contiguous " + dtype + " array [" +
                          std::to_string(views.size()) + ", " + std::to_string(max_patches) + ", " +
                          std::to_string(length) + "] and shapes int32 [" + std::to_string(views.size()) + ", 2]");
  }
  void* data = out.mutable_data();
  int32_t* grids = shapes.mutable_data();
  py::gil_scoped_release release;
  PoolExecutor executor(threads);
  image::PatchBatch(views, options, normalization, data, grids, executor);
}

std::pair<size_t, size_t> Grid(size_t height, size_t width, size_t patch_size, size_t max_patches) {
  const image::PatchGrid grid = image::PatchGridOf(height, width, patch_size, max_patches);
  return {grid.rows, grid.columns};
}

}  // namespace

void BindImagePatches(py::module_& module) {
  module.def("image_patches", &Patches, py::arg("images"), py::arg("patch_size"), py::arg("max_patches"),
             py::arg("method"), py::arg("normalization"), py::arg("dtype"), py::arg("threads"),
             py::arg("out").noconvert(), py::arg("shapes").noconvert(), py::arg("isa") = "");
  module.def("image_patch_grid", &Grid, py::arg("height"), py::arg("width"), py::arg("patch_size"),
             py::arg("max_patches"));
}

}  // namespace mmcore::python
