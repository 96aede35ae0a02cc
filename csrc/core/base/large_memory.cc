#include "core/base/large_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace mmcore {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

constexpr size_t kSmallestKept = size_t{64} << 10;

// What AllocateLarge makes of so many bytes: coarse, so that batches of about one size use one another's blocks.
size_t Rounded(size_t bytes) {
  constexpr size_t kStep = size_t{256} << 10;
  if (bytes < kSmallestKept) return bytes;
  const size_t step = bytes < kLargeBytes ? kStep : kHugePage;
  return (bytes + step - 1) / step * step;
}

struct Kept {
  void* memory = nullptr;
  size_t bytes = 0;
};

struct KeptBlocks {
  std::mutex mutex;
  std::deque<Kept> blocks;  // The longest unused first.
  size_t total = 0;
};

KeptBlocks& Blocks() {
  static auto* const blocks = new KeptBlocks;  // Never destroyed: threads may outlive what is static.
  return *blocks;
}

}  // namespace

// Only ever tries the lock: where another thread has it, or had it when this process was forked, the block comes
// from the system.
void* TakeLarge(size_t bytes) {
  if (bytes < kSmallestKept || bytes > kMaxKept) return AllocateLarge(bytes);
  const size_t wanted = Rounded(bytes);
  KeptBlocks& kept = Blocks();
  if (const std::unique_lock<std::mutex> lock(kept.mutex, std::try_to_lock); lock) {
    const auto block = std::find_if(kept.blocks.begin(), kept.blocks.end(),
                                    [&](const Kept& candidate) { return candidate.bytes == wanted; });
    if (block != kept.blocks.end()) {
      void* const memory = block->memory;
      kept.blocks.erase(block);
      kept.total -= wanted;
      return memory;
    }
  }
  return AllocateLarge(bytes);
}

// Of what is kept the longest unused makes room for what was used last.
void GiveBackLarge(void* memory, size_t bytes) {
  if (bytes < kSmallestKept || bytes > kMaxKept) return std::free(memory);
  KeptBlocks& kept = Blocks();
  const std::unique_lock<std::mutex> lock(kept.mutex, std::try_to_lock);
  if (!lock) return std::free(memory);
  const size_t size = Rounded(bytes);
  while (!kept.blocks.empty() && kept.total + size > kMaxKept) {
    kept.total -= kept.blocks.front().bytes;
    std::free(kept.blocks.front().memory);
    kept.blocks.pop_front();
  }
  kept.blocks.push_back({memory, size});
  kept.total += size;
}

void* AllocateLarge(size_t bytes) {
  if (bytes > SIZE_MAX - kHugePage) throw std::bad_alloc();
  const bool large = bytes >= kLargeBytes;
  const size_t rounded = Rounded(bytes);
  void* const memory = large ? std::aligned_alloc(kHugePage, rounded) : std::malloc(rounded == 0 ? 1 : rounded);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (large) madvise(memory, rounded, MADV_HUGEPAGE);  // A wish: without it everything works, slower.
#endif
  return memory;
}

}  // namespace mmcore
