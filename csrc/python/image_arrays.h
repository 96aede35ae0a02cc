// NumPy arrays and names of options as what the core takes.
#ifndef MMCORE_PYTHON_IMAGE_ARRAYS_H_
#define MMCORE_PYTHON_IMAGE_ARRAYS_H_

#include <pybind11/numpy.h>

#include <string>

#include "core/base/cpu.h"
#include "core/image/image.h"
#include "core/image/resize.h"

namespace mmcore::python {

using Bytes = pybind11::array_t<uint8_t>;

// "": the one in use.
Isa IsaOf(const std::string& name);

// Throws InvalidArgument unless the array is [height, width, channels] with contiguous rows.
image::ImageView View(const Bytes& array);

// Throws InvalidArgument for an unknown name.
image::DType DTypeOf(const std::string& name);

}  // namespace mmcore::python

#endif  // MMCORE_PYTHON_IMAGE_ARRAYS_H_
