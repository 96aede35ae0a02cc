// Image files: what their headers say, and the pixels of those that the core decodes itself.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <string>

#include "core/base/errors.h"
#include "core/image/file/header.h"
#include "core/image/file/pixels.h"
#include "core/image/file/png.h"
#include "python/bindings.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

using Pixels = py::array_t<uint8_t, py::array::c_style>;

Span<const uint8_t> View(const py::bytes& bytes) {
  char* data = nullptr;
  py::ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes.ptr(), &data, &size) != 0) throw py::error_already_set();
  return {reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size)};
}

// The header of a file that is allowed and not too costly, in the order of mmcore.image._file.Header.
py::tuple Header(const py::bytes& bytes, const std::string& allowed, uint64_t max_pixels) {
  const Span<const uint8_t> file = View(bytes);
  image::CheckFormat(file, allowed);
  image::FileHeader header;
  {
    py::gil_scoped_release release;
    header = image::ReadHeader(file);
    image::CheckCost(file, header, max_pixels);
  }
  return py::make_tuple(image::FormatName(header.format), header.complete, header.height, header.width,
                        header.orientation, header.components, header.precision, header.frame,
                        header.several_scans);
}

py::bytes PngPixelsOnly(const py::bytes& bytes) {
  const Span<const uint8_t> file = View(bytes);
  std::string pixels;
  {
    py::gil_scoped_release release;
    pixels = image::PngPixelsOnly(file);
  }
  return pixels;
}

Pixels Decode(const py::bytes& bytes, size_t channels) {
  const Span<const uint8_t> file = View(bytes);
  const image::FileHeader header = image::ReadHeader(file);
  if (!image::IsDecodedHere(header.format)) throw InvalidArgument("expected a GIF or BMP image");
  Pixels pixels({static_cast<py::ssize_t>(header.height), static_cast<py::ssize_t>(header.width),
                 static_cast<py::ssize_t>(channels)});
  uint8_t* out = pixels.mutable_data();
  py::gil_scoped_release release;
  image::DecodePixels(file, header, channels, out);
  return pixels;
}

Pixels Compose(const Pixels& rgba, const std::array<uint8_t, 3>& background) {
  if (rgba.ndim() != 3 || rgba.shape(2) != 4) {
    throw InvalidArgument("pixels with alpha must be uint8 [height, width, 4]");
  }
  Pixels rgb({rgba.shape(0), rgba.shape(1), py::ssize_t{3}});
  uint8_t* out = rgb.mutable_data();
  const Span<const uint8_t> pixels(rgba.data(), static_cast<size_t>(rgba.size()));
  py::gil_scoped_release release;
  image::Compose(pixels, background, out);
  return rgb;
}

Pixels Orient(const Pixels& pixels, int orientation) {
  if (pixels.ndim() != 3) throw InvalidArgument("pixels must be uint8 [height, width, channels]");
  const auto shape = [&](int axis) { return static_cast<size_t>(pixels.shape(axis)); };
  const bool swaps = orientation >= 5 && orientation <= 8;
  Pixels upright({pixels.shape(swaps ? 1 : 0), pixels.shape(swaps ? 0 : 1), pixels.shape(2)});
  uint8_t* out = upright.mutable_data();
  const image::ImageView view{pixels.data(), shape(0), shape(1), shape(2), shape(1) * shape(2)};
  py::gil_scoped_release release;
  image::Orient(view, orientation, out);
  return upright;
}

}  // namespace

void BindImageFile(py::module_& module) {
  module.def("image_file_header", &Header, py::arg("file"), py::arg("allowed"), py::arg("max_pixels"));
  module.def("image_file_png_pixels_only", &PngPixelsOnly, py::arg("file"));
  module.def("image_file_decode", &Decode, py::arg("file"), py::arg("channels"));
  module.def("image_compose", &Compose, py::arg("rgba").noconvert(), py::arg("background"));
  module.def("image_orient", &Orient, py::arg("pixels").noconvert(), py::arg("orientation"));
}

}  // namespace mmcore::python
