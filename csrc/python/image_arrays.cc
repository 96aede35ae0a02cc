#include "python/image_arrays.h"

#include "core/base/errors.h"

namespace py = pybind11;

namespace mmcore::python {

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

image::DType DTypeOf(const std::string& name) {
  if (name == "uint8") return image::DType::kUint8;
  if (name == "float32") return image::DType::kFloat32;
  if (name == "bfloat16") return image::DType::kBfloat16;
  if (name == "float16") return image::DType::kFloat16;
  throw InvalidArgument("dtype must be 'uint8', 'float32', 'bfloat16' or 'float16', got '" + name + "'");
}

}  // namespace mmcore::python
