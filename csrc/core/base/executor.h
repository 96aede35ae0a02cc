// Executor: where a batch function runs its items. Algorithms handle one item; batch functions take an
// Executor and never know whether it is the caller's thread or a pool.
#ifndef MMCORE_CORE_BASE_EXECUTOR_H_
#define MMCORE_CORE_BASE_EXECUTOR_H_

#include <cstddef>
#include <functional>

#include "core/base/api.h"

namespace mmcore {

class MMCORE_API Executor {
 public:
  virtual ~Executor();

  // Calls body(i) once for each i in [0, count), on any threads, and returns when all calls have returned.
  // If calls throw, items not yet begun are left out and the first exception is thrown again here.
  virtual void ParallelFor(size_t count, const std::function<void(size_t)>& body) = 0;

  // How many calls may run at once, the caller's thread included.
  virtual size_t concurrency() const = 0;
};

// Runs everything on the calling thread, in order.
class MMCORE_API InlineExecutor final : public Executor {
 public:
  void ParallelFor(size_t count, const std::function<void(size_t)>& body) override;
  size_t concurrency() const override { return 1; }
};

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_EXECUTOR_H_
