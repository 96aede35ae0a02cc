#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "core/base/buffer.h"
#include "core/base/cpu.h"
#include "core/base/crc32c.h"
#include "core/base/errors.h"
#include "core/base/large_memory.h"
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
  for (const size_t threads : {0u, 1u, 2u, 4u, 9u}) {
    for (const size_t count : {0u, 1u, 2u, 3u, 5u, 1000u}) CHECK(EveryItemOnce(count, threads));
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

// The check values of RFC 3720, appendix B.4.
void TestCrc32c() {
  std::vector<uint8_t> bytes(32, 0);
  CHECK(mmcore::Crc32c(bytes.data(), 0) == 0);
  CHECK(mmcore::Crc32c(bytes.data(), 32) == 0x8A9136AA);
  for (size_t i = 0; i < 32; ++i) bytes[i] = static_cast<uint8_t>(i);
  CHECK(mmcore::Crc32c(bytes.data(), 32) == 0x46DD794E);
  CHECK(mmcore::Crc32c(bytes.data() + 1, 30) != mmcore::Crc32c(bytes.data() + 1, 31));
}

void TestLargeMemoryIsTakenAgain() {
  constexpr size_t kBytes = size_t{3} << 20;
  void* const first = mmcore::TakeLarge(kBytes);
  void* const second = mmcore::TakeLarge(kBytes);
  CHECK(first != second);
  mmcore::GiveBackLarge(first, kBytes);
  CHECK(mmcore::TakeLarge(kBytes - 1) == first);  // The same number of huge pages.
  mmcore::GiveBackLarge(first, kBytes - 1);
  mmcore::GiveBackLarge(second, kBytes);
  void* const larger = mmcore::TakeLarge(2 * kBytes);
  CHECK(larger != first && larger != second);
  mmcore::GiveBackLarge(larger, 2 * kBytes);
  CHECK_THROWS(mmcore::TakeLarge(SIZE_MAX), std::bad_alloc);
  CHECK_THROWS(mmcore::LargeArray<double>(SIZE_MAX / 4), std::bad_alloc);
}

// More than is kept goes back to the system; blocks of many sizes keep to the bound without being lost.
void TestLargeMemoryFromManyThreads() {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([t, &wrong] {
      for (size_t i = 0; i < 200; ++i) {
        mmcore::LargeArray<unsigned> array(size_t{10'000} + (i * 7919 + t * 104'729) % 9'000'000);
        array.data()[0] = array.data()[array.size() - 1] = t;
        std::this_thread::yield();
        if (array.data()[0] != t || array.data()[array.size() - 1] != t) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

void TestLargeArraysMove() {
  mmcore::LargeArray<int> array(100'000), other;
  array.data()[7] = 42;
  other = std::move(array);
  CHECK(other.size() == 100'000 && other.data()[7] == 42);
  other.Shorten(8);
  const mmcore::LargeArray<int> last(std::move(other));
  CHECK(last.size() == 8 && last.data()[7] == 42);
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
  TestCrc32c();
  TestLargeMemoryIsTakenAgain();
  TestLargeMemoryFromManyThreads();
  TestLargeArraysMove();
  return mmcore::testing::Report("base");
}
