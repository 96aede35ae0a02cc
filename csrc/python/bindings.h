// Each part of the core binds itself to the one Python module in a file of its own.
#ifndef MMCORE_PYTHON_BINDINGS_H_
#define MMCORE_PYTHON_BINDINGS_H_

#include <pybind11/pybind11.h>

namespace mmcore::python {

void BindBase(pybind11::module_& module);
void BindAugment(pybind11::module_& module);
void BindImage(pybind11::module_& module);
void BindImageFile(pybind11::module_& module);
void BindPacking(pybind11::module_& module);
void BindImagePatches(pybind11::module_& module);
void BindText(pybind11::module_& module);
void BindTextDecode(pybind11::module_& module);
void BindTextSplit(pybind11::module_& module);
void BindTextBpe(pybind11::module_& module);
void BindTextNormalize(pybind11::module_& module);

}  // namespace mmcore::python

#endif  // MMCORE_PYTHON_BINDINGS_H_
