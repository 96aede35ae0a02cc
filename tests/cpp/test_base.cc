#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "core/base/buffer.h"
#include "core/base/cpu.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"

namespace {

using mmcore::PoolExecutor;

// Each item writes its own cell: a lost or repeated item changes the result.
bool EveryItemOnce(size_t count, size_t threads) {
  std::vector<int> seen(count, 0);
  PoolExecutor executor(threads);
  executor.ParallelFor(count, [&](size_t i) { ++seen[i]; });
  for (const int times : seen) {
    if (times != 1) return false;
  }
  return true;
}

void TestEveryItemRunsOnce() {
  mmcore::SetNumThreads(4);
  for (const size_t threads : {0, 1, 2, 4, 9}) {
    for (const size_t count : {0, 1, 2, 3, 5, 1000}) CHECK(EveryItemOnce(count, threads));
  }
}

void TestFirstExceptionReachesTheCaller() {
  PoolExecutor executor;
  CHECK_THROWS(executor.ParallelFor(100, [](size_t i) { if (i == 17) throw std::runtime_error("17"); }),
               std::runtime_error);
  CHECK(EveryItemOnce(50, 0));
}

void TestNestedCallsRunInline() {
  std::atomic<int> total{0};
  PoolExecutor outer;
  outer.ParallelFor(8, [&](size_t) {
    PoolExecutor inner;
    inner.ParallelFor(8, [&](size_t) { total.fetch_add(1); });
  });
  CHECK(total.load() == 64);
}

void TestManyProducersWhileThePoolIsResized() {
  std::atomic<bool> all_right{true};
  std::vector<std::thread> producers;
  for (int p = 0; p < 6; ++p) {
    producers.emplace_back([&all_right] {
      for (int round = 0; round < 50; ++round) {
        if (!EveryItemOnce(37, 0)) all_right = false;
      }
    });
  }
  for (size_t n = 1; n <= 20; ++n) mmcore::SetNumThreads(n % 5 + 1);
  for (std::thread& producer : producers) producer.join();
  CHECK(all_right.load());
}

#if !defined(__SANITIZE_THREAD__)  // TSan does not follow threads that start in a child of fork.
void TestChildOfForkHasAPoolOfItsOwn() {
  mmcore::SetNumThreads(3);
  CHECK(EveryItemOnce(100, 0));
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // A hang ends with a signal, which the parent sees.
    _exit(EveryItemOnce(100, 0) ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#else
void TestChildOfForkHasAPoolOfItsOwn() {}
#endif

void TestSizesAndLimits() {
  mmcore::SetNumThreads(0);
  CHECK(mmcore::NumThreads() == mmcore::UsableCores());
  CHECK(mmcore::UsableCores() >= 1);
  CHECK_THROWS(mmcore::SetNumThreads(1025), mmcore::InvalidArgument);
  CHECK(PoolExecutor(1).concurrency() == 1);
}

void TestIsaNames() {
  CHECK(mmcore::ParseIsa("scalar") == mmcore::Isa::kScalar);
  CHECK_THROWS(mmcore::ParseIsa("sse9"), mmcore::InvalidArgument);
  CHECK(mmcore::ActiveIsa() <= mmcore::DetectedIsa());
}

void TestBufferIsAligned() {
  mmcore::Buffer<float> buffer(3);
  CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % mmcore::Buffer<float>::kAlignment == 0);
  buffer.Reserve(1000);
  CHECK(buffer.size() == 1000);
  buffer.Reserve(10);
  CHECK(buffer.size() == 1000);
  CHECK_THROWS(mmcore::Buffer<double>(SIZE_MAX / 4), std::bad_alloc);
}

}  // namespace

int main() {
  TestEveryItemRunsOnce();
  TestFirstExceptionReachesTheCaller();
  TestNestedCallsRunInline();
  TestManyProducersWhileThePoolIsResized();
  TestChildOfForkHasAPoolOfItsOwn();
  TestSizesAndLimits();
  TestIsaNames();
  TestBufferIsAligned();
  return mmcore::testing::Report("base");
}
