#include "core/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define MMCORE_HAS_FORK 1
#else
#define MMCORE_HAS_FORK 0
#endif

#include "core/base/errors.h"

namespace mmcore {
namespace {

thread_local bool t_is_pool_thread = false;

// One ParallelFor: items are handed out by a counter, so that uneven items balance themselves.
struct Job {
  Job(size_t item_count, size_t helpers, const std::function<void(size_t)>& item_body)
      : count(item_count), helpers_wanted(helpers), body(item_body) {}

  void Run() {
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      try {
        body(i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
        next.store(count, std::memory_order_relaxed);
      }
    }
  }

  const size_t count;
  size_t helpers_wanted;  // Guarded by the pool's mutex, as is helpers_running.
  size_t helpers_running = 0;
  const std::function<void(size_t)>& body;
  std::atomic<size_t> next{0};
  std::mutex error_mutex;
  std::exception_ptr error;
};

}  // namespace

class ThreadPool {
 public:
  explicit ThreadPool(size_t num_threads) {
    // The caller of ParallelFor works too, hence one thread fewer.
    try {
      for (size_t i = 1; i < num_threads; ++i) threads_.emplace_back([this] { Work(); });
    } catch (const std::system_error&) {
      // The system gives no more threads (a limit on processes): work with those that started.
    }
  }

  ~ThreadPool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    work_ready_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  size_t size() const { return threads_.size() + 1; }

  void Run(size_t count, size_t helpers, const std::function<void(size_t)>& body) {
    Job job(count, helpers, body);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(&job);
    }
    for (size_t i = 0; i < helpers; ++i) work_ready_.notify_one();
    job.Run();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      jobs_.erase(std::remove(jobs_.begin(), jobs_.end(), &job), jobs_.end());
      helper_done_.wait(lock, [&] { return job.helpers_running == 0; });
    }
    if (job.error) std::rethrow_exception(job.error);
  }

 private:
  void Work() {
    t_is_pool_thread = true;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      work_ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      Job& job = *jobs_.front();
      ++job.helpers_running;
      if (--job.helpers_wanted == 0) jobs_.pop_front();
      lock.unlock();
      job.Run();
      lock.lock();
      // The owner may destroy the job once this count is zero and the mutex is free.
      if (--job.helpers_running == 0) helper_done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_ready_;
  std::condition_variable helper_done_;
  std::deque<Job*> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

namespace {

struct Global {
  std::mutex mutex;
  size_t wanted = 0;  // 0: UsableCores().
  std::shared_ptr<ThreadPool> pool;
};

Global& GlobalState();

#if MMCORE_HAS_FORK
void LockBeforeFork() { GlobalState().mutex.lock(); }
void UnlockInParent() { GlobalState().mutex.unlock(); }
void ForgetPoolInChild() {
  // The pool's threads do not exist in the child: leak it, since joining them would wait for ever.
  static_cast<void>(new std::shared_ptr<ThreadPool>(std::move(GlobalState().pool)));
  t_is_pool_thread = false;
  GlobalState().mutex.unlock();
}
#endif

Global& GlobalState() {
  static Global* const global = [] {
#if MMCORE_HAS_FORK
    pthread_atfork(&LockBeforeFork, &UnlockInParent, &ForgetPoolInChild);
#endif
    return new Global;  // Leaked, see the header.
  }();
  return *global;
}

size_t WantedThreads(const Global& global) { return global.wanted != 0 ? global.wanted : UsableCores(); }

std::shared_ptr<ThreadPool> AcquirePool() {
  Global& global = GlobalState();
  std::lock_guard<std::mutex> lock(global.mutex);
  if (!global.pool) global.pool = std::make_shared<ThreadPool>(WantedThreads(global));
  return global.pool;
}

}  // namespace

void SetNumThreads(size_t num_threads) {
  if (num_threads > 1024) {
    throw InvalidArgument("num_threads must be between 0 (the cores this process may use) and 1024, got " +
                          std::to_string(num_threads));
  }
  Global& global = GlobalState();
  std::shared_ptr<ThreadPool> old;  // Declared first: destroyed, and its threads joined, after the lock is free.
  std::lock_guard<std::mutex> lock(global.mutex);
  global.wanted = num_threads;
  old.swap(global.pool);
}

size_t NumThreads() {
  Global& global = GlobalState();
  std::lock_guard<std::mutex> lock(global.mutex);
  return WantedThreads(global);
}

PoolExecutor::PoolExecutor(size_t max_threads) : concurrency_(1) {
  if (max_threads == 1 || t_is_pool_thread) return;
  pool_ = AcquirePool();
  concurrency_ = max_threads == 0 ? pool_->size() : std::min(max_threads, pool_->size());
  if (concurrency_ == 1) pool_.reset();
}

PoolExecutor::~PoolExecutor() = default;

void PoolExecutor::ParallelFor(size_t count, const std::function<void(size_t)>& body) {
  const size_t threads = std::min(concurrency_, count);
  if (threads <= 1 || t_is_pool_thread) {
    for (size_t i = 0; i < count; ++i) body(i);
    return;
  }
  pool_->Run(count, threads - 1, body);
}

}  // namespace mmcore
