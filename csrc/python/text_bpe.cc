// mmcore._native.merges_of_ranks: what a .tiktoken file leaves out.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/text/model/ranks.h"
#include "python/bindings.h"

namespace py = pybind11;

namespace mmcore::python {
namespace {

std::vector<std::tuple<uint32_t, uint32_t, uint32_t>> MergesOfRanks(const std::vector<py::bytes>& tokens) {
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  std::vector<text::Merge> merges;
  {
    py::gil_scoped_release release;
    merges = text::MergesOfRanks(views);
  }
  std::vector<std::tuple<uint32_t, uint32_t, uint32_t>> out;
  out.reserve(merges.size());
  for (const text::Merge& merge : merges) out.emplace_back(merge.left, merge.right, merge.result);
  return out;
}

}  // namespace

void BindTextBpe(py::module_& module) { module.def("merges_of_ranks", &MergesOfRanks, py::arg("tokens")); }

}  // namespace mmcore::python
