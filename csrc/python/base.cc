#include "core/base/cpu.h"
#include "core/base/thread_pool.h"
#include "python/bindings.h"

namespace py = pybind11;

namespace mmcore::python {

void BindBase(py::module_& module) {
  // Without the GIL: replacing the pool waits for work that other threads may have under way.
  module.def("set_num_threads", &SetNumThreads, py::arg("num_threads"), py::call_guard<py::gil_scoped_release>());
  module.def("num_threads", &NumThreads);
  module.def("usable_cores", &UsableCores);
  module.def("detected_isa", [] { return IsaName(DetectedIsa()); });
  module.def("active_isa", [] { return IsaName(ActiveIsa()); });
}

}  // namespace mmcore::python
