#include <pybind11/pybind11.h>

#include "core/base/errors.h"
#include "python/bindings.h"

namespace py = pybind11;

PYBIND11_MODULE(_native, module) {
  module.doc() = "Binding of mmcore's native core; use it through mmcore.text and mmcore.image.";
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const mmcore::DataError& e) {
      py::set_error(py::module_::import("mmcore.errors").attr("FormatError"), e.what());
    } catch (const mmcore::LimitError& e) {
      py::set_error(py::module_::import("mmcore.errors").attr("LimitError"), e.what());
    } catch (const mmcore::InvalidArgument& e) {
      py::set_error(PyExc_ValueError, e.what());
    }
  });
  mmcore::python::BindBase(module);
  mmcore::python::BindAugment(module);
  mmcore::python::BindImage(module);
  mmcore::python::BindImageFile(module);
  mmcore::python::BindPacking(module);
  mmcore::python::BindImagePatches(module);
  mmcore::python::BindText(module);
  mmcore::python::BindTextDecode(module);
  mmcore::python::BindTextSplit(module);
  mmcore::python::BindTextBpe(module);
  mmcore::python::BindTextNormalize(module);
}
