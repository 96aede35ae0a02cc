#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/augment/augmentation.h"
#include "core/image/augment/mix.h"
#include "core/image/augment/operations.h"
#include "core/image/augment/random.h"
#include "python/bindings.h"
#include "python/image_arrays.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using ContiguousBytes = py::array_t<uint8_t, py::array::c_style>;

image::ImageView ViewOf(const ContiguousBytes& array) {
  if (array.ndim() != 3) throw InvalidArgument("an image must be a uint8 array [height, width, channels]");
  const auto shape = [&](int axis) { return static_cast<size_t>(array.shape(axis)); };
  return {array.data(), shape(0), shape(1), shape(2), shape(1) * shape(2)};
}

// `out` has been made for this dtype and layout by the face; its address, shape and size are checked again here.
void Augment(const std::vector<double>& spec, const std::vector<ContiguousBytes>& images,
             const std::vector<uint64_t>& indices, uint64_t seed, const std::string& method,
             const image::Normalization& normalization, bool planar, const std::string& dtype, size_t threads,
             py::array out, const std::string& isa) {
  std::vector<image::ImageView> views;
  for (const ContiguousBytes& array : images) views.push_back(ViewOf(array));
  const image::BatchFormat format = {DTypeOf(dtype), planar ? image::Layout::kNchw : image::Layout::kNhwc};
  const auto shape = [&](int axis) { return static_cast<size_t>(out.shape(axis)); };
  if (static_cast<size_t>(out.itemsize()) != image::ElementSize(format.dtype) || out.ndim() != 4 ||
      shape(0) != views.size() || shape(planar ? 1 : 3) != 3 || !(out.flags() & py::array::c_style) ||
      !out.writeable()) {
    throw InvalidArgument("out must be a writable C-contiguous " + dtype + " array of " +
                          std::to_string(views.size()) + " images of 3 channels");
  }
  const image::Augmentation augmentation{Span<const double>(spec)};
  const image::ResizeOptions options = {shape(planar ? 2 : 1), shape(planar ? 3 : 2), image::ParseFilter(method),
                                        IsaOf(isa)};
  void* data = out.mutable_data();
  py::gil_scoped_release release;
  PoolExecutor executor(threads);
  augmentation.Run(views, indices, seed, options, normalization, format, data, executor);
}

ContiguousBytes Operate(const ContiguousBytes& array, int operation, double value, uint32_t fill,
                        const std::string& isa) {
  const image::ImageView view = ViewOf(array);
  const Isa chosen = IsaOf(isa);
  ContiguousBytes out({array.shape(0), array.shape(1), array.shape(2)});
  uint8_t* data = out.mutable_data();
  py::gil_scoped_release release;
  image::Operate(view, operation, value, fill, chosen, data);
  return out;
}

py::array_t<uint64_t> RandomBits(uint64_t seed, uint64_t index, uint32_t purpose, py::ssize_t count) {
  py::array_t<uint64_t> draws(count);
  uint64_t* data = draws.mutable_data();
  image::Stream stream(seed, index, purpose);
  for (py::ssize_t i = 0; i < count; ++i) data[i] = stream.Bits();
  return draws;
}

// Images [B, H, W, C] of float32 or uint8 and float32 labels [B, K]; the face has checked them and made the outputs.
void Mix(bool cut, double alpha, uint64_t seed, uint64_t step, const py::array& images,
         const py::array_t<float, py::array::c_style>& labels, py::array out_images, py::array_t<float> out_labels,
         size_t threads) {
  const auto shape = [](const py::array& array, int axis) { return static_cast<size_t>(array.shape(axis)); };
  if (images.ndim() != 4 || labels.ndim() != 2 || shape(labels, 0) != shape(images, 0) ||
      out_images.nbytes() != images.nbytes() || out_labels.nbytes() != labels.nbytes() ||
      !(images.flags() & out_images.flags() & py::array::c_style) || (!cut && images.itemsize() != sizeof(float))) {
    throw InvalidArgument("images must be [B, height, width, C], labels [B, K], and the outputs as large");
  }
  image::MixBatch batch;
  batch.count = shape(images, 0);
  batch.height = shape(images, 1);
  batch.width = shape(images, 2);
  batch.pixel_bytes = shape(images, 3) * static_cast<size_t>(images.itemsize());
  batch.num_classes = shape(labels, 1);
  const void* from = images.data();
  void* to = out_images.mutable_data();
  const float* labels_from = labels.data();
  float* labels_to = out_labels.mutable_data();
  py::gil_scoped_release release;
  PoolExecutor executor(threads);
  if (cut) {
    image::CutMix(batch, alpha, seed, step, from, labels_from, to, labels_to, executor);
  } else {
    image::Mixup(batch, alpha, seed, step, static_cast<const float*>(from), labels_from, static_cast<float*>(to),
                 labels_to, executor);
  }
}

}  // namespace

void BindAugment(py::module_& module) {
  module.def("image_augment", &Augment, py::arg("spec"), py::arg("images"), py::arg("indices"), py::arg("seed"),
             py::arg("method"), py::arg("normalization"), py::arg("planar"), py::arg("dtype"), py::arg("threads"),
             py::arg("out").noconvert(), py::arg("isa") = "");
  module.def("image_operate", &Operate, py::arg("image").noconvert(), py::arg("operation"), py::arg("value"),
             py::arg("fill") = 0, py::arg("isa") = "");
  module.def("image_mix", &Mix, py::arg("cut"), py::arg("alpha"), py::arg("seed"), py::arg("step"),
             py::arg("images").noconvert(), py::arg("labels").noconvert(), py::arg("out_images").noconvert(),
             py::arg("out_labels").noconvert(), py::arg("threads"));
  module.def("random_bits", &RandomBits, py::arg("seed"), py::arg("index"), py::arg("purpose"), py::arg("count"));
}

}  // namespace mmcore::python
