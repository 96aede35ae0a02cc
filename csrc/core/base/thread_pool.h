// The process-wide thread pool. Started at first use, never at load; sized by CPU affinity and cgroup quota;
// usable from any number of threads at once; runs inline when called from one of its own threads; a child
// of fork() gets a fresh one. It is leaked at exit on purpose: joining threads in static destructors deadlocks.
#ifndef MMCORE_CORE_BASE_THREAD_POOL_H_
#define MMCORE_CORE_BASE_THREAD_POOL_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/executor.h"

namespace mmcore {

// Cores this process may use: the smaller of its affinity mask and its cgroup CPU quota, at least 1.
MMCORE_API size_t UsableCores();

// Sets the size of the process-wide pool (0: UsableCores()). Work already running finishes on the old threads.
// Throws InvalidArgument above 1024.
MMCORE_API void SetNumThreads(size_t num_threads);
MMCORE_API size_t NumThreads();

class ThreadPool;

// An Executor over the process-wide pool that uses at most `max_threads` threads (0: all of them; 1: the
// calling thread alone). Cheap to make: one for each batch call.
class MMCORE_API PoolExecutor final : public Executor {
 public:
  explicit PoolExecutor(size_t max_threads = 0);
  ~PoolExecutor() override;
  PoolExecutor(const PoolExecutor&) = delete;
  PoolExecutor& operator=(const PoolExecutor&) = delete;

  void ParallelFor(size_t count, const std::function<void(size_t)>& body) override;
  size_t concurrency() const override { return concurrency_; }

 private:
  std::shared_ptr<ThreadPool> pool_;  // Empty where everything runs on the caller.
  size_t concurrency_;
};

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_THREAD_POOL_H_
