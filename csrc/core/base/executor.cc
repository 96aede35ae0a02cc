#include "core/base/executor.h"

namespace mmcore {

Executor::~Executor() = default;

void InlineExecutor::ParallelFor(size_t count, const std::function<void(size_t)>& body) {
  for (size_t i = 0; i < count; ++i) body(i);
}

}  // namespace mmcore
