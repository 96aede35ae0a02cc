// Large memory as the base of NumPy arrays: given back when the last of them goes.
#ifndef MMCORE_PYTHON_OWNER_H_
#define MMCORE_PYTHON_OWNER_H_

#include <pybind11/pybind11.h>

#include <memory>

#include "core/base/large_memory.h"

namespace mmcore::python {

// Keeps the memory alive for the arrays in it.
template <typename T>
pybind11::capsule Owner(std::unique_ptr<LargeArray<T>> memory) {
  const pybind11::capsule owner(memory.get(), [](void* p) { delete static_cast<LargeArray<T>*>(p); });
  static_cast<void>(memory.release());
  return owner;
}

}  // namespace mmcore::python

#endif  // MMCORE_PYTHON_OWNER_H_
