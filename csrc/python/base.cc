#include <pybind11/numpy.h>

#include <memory>
#include <utility>

#include "core/attention/attention.h"
#include "core/base/cpu.h"
#include "core/base/crc32c.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "python/bindings.h"
#include "python/owner.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

uint32_t BufferCrc32c(const py::buffer& buffer) {
  const py::buffer_info info = buffer.request();
  if (info.itemsize != 1 || info.ndim != 1 || info.strides[0] != 1) throw InvalidArgument("expected contiguous bytes");
  const py::gil_scoped_release release;
  return Crc32c(static_cast<const uint8_t*>(info.ptr), static_cast<size_t>(info.size));
}

// Uninitialised bytes, in memory that the next array of about this size takes again.
py::array_t<uint8_t> KeptBytes(size_t size) {
  auto memory = std::make_unique<LargeArray<uint8_t>>(size);
  const uint8_t* const data = memory->data();
  return py::array_t<uint8_t>(static_cast<py::ssize_t>(size), data, Owner(std::move(memory)));
}

}  // namespace

void BindBase(py::module_& module) {
  // Without the GIL: replacing the pool waits for work that other threads may have under way.
  module.def("set_num_threads", &SetNumThreads, py::arg("num_threads"), py::call_guard<py::gil_scoped_release>());
  module.def("num_threads", &NumThreads);
  module.def("usable_cores", &UsableCores);
  module.def("detected_isa", [] { return IsaName(DetectedIsa()); });
  module.def("active_isa", [] { return IsaName(ActiveIsa()); });
  module.def("bfloat16_products", [] { return attention::Bfloat16Products(); });
  module.def("kept_bytes", &KeptBytes, py::arg("size"));
  module.def("crc32c", &BufferCrc32c, py::arg("data"));
}

}  // namespace mmcore::python
