// A thread block on the CPU: fibers that run one at a time, in an order drawn by chance at each meeting point.
#ifndef MMCORE_CUDA_EMULATED_BLOCK_H_
#define MMCORE_CUDA_EMULATED_BLOCK_H_

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace mmcore::cuda::emulated {

inline void Require(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "emulated kernel: %s\n", sentence);
  std::abort();
}

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
  bool inside;
};

struct Fiber {
  ucontext_t context{};
  std::unique_ptr<std::byte[]> stack;
  std::vector<Copy> copies;
  int thread = 0;
  unsigned exchanges = 0;
  bool done = false;
};

// What a lane shows the other lanes of its warp.
struct Slot {
  alignas(8) std::byte bytes[24];
};

struct Meeting {
  std::vector<Fiber*> waiting;
};

// Of an exchange the slots are read while the quickest lanes write those of the next one, but never of the one after.
struct Warp {
  Slot slots[2][32];
  Meeting meeting;
};

struct Block {
  int x = 0, y = 0, z = 0, threads = 0, favoured = 0;
  std::byte* shared = nullptr;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  Meeting meeting;
  std::vector<Fiber*> ready;
  ucontext_t scheduler{};
  std::function<void()> kernel;
};

inline Block* g_block = nullptr;
inline Fiber* g_fiber = nullptr;
inline std::minstd_rand g_order(1);

inline Fiber& Self() { return *g_fiber; }

inline void Meet(Meeting& meeting, size_t size) {
  Fiber& self = Self();
  if (meeting.waiting.size() + 1 < size) {
    meeting.waiting.push_back(&self);
    swapcontext(&self.context, &g_block->scheduler);
    return;
  }
  g_block->ready.insert(g_block->ready.end(), meeting.waiting.begin(), meeting.waiting.end());
  meeting.waiting.clear();
}

inline Warp& MyWarp() { return g_block->warps[static_cast<size_t>(Self().thread / 32)]; }
inline void MeetWarp() { Meet(MyWarp().meeting, 32); }
inline void MeetBlock() { Meet(g_block->meeting, static_cast<size_t>(g_block->threads)); }

// Shows `bytes` to the warp; what all its lanes show, once they have.
inline const Slot* Exchange(const void* value, size_t bytes) {
  Fiber& self = Self();
  Slot* slots = MyWarp().slots[self.exchanges++ % 2];
  std::memcpy(slots[self.thread % 32].bytes, value, bytes);
  MeetWarp();
  return slots;
}

inline void CopyLater(void* to, const void* from, size_t bytes, bool inside) {
  Require(reinterpret_cast<uintptr_t>(to) % bytes == 0, "cp.async: the target lies at a multiple of its size");
  Require(reinterpret_cast<uintptr_t>(from) % bytes == 0, "cp.async: the source lies at a multiple of its size");
  std::memset(to, 0xFF, bytes);
  Self().copies.push_back({to, from, bytes, inside});
}

inline void CopyNow() {
  for (const Copy& copy : Self().copies) {
    if (copy.inside) {
      std::memcpy(copy.to, copy.from, copy.bytes);
    } else {
      std::memset(copy.to, 0, copy.bytes);
    }
  }
  Self().copies.clear();
}

inline void RunFiber() {
  g_block->kernel();
  Require(Self().copies.empty(), "a thread ends while its copies are under way");
  Self().done = true;
  swapcontext(&Self().context, &g_block->scheduler);
}

inline void Prepare(Block& block) {
  constexpr size_t kStack = size_t{1} << 18;
  block.fibers.resize(static_cast<size_t>(block.threads));
  block.warps.resize(block.fibers.size() / 32);
  for (Fiber& fiber : block.fibers) {
    fiber.thread = static_cast<int>(&fiber - block.fibers.data());
    fiber.stack.reset(new std::byte[kStack]);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack;
    makecontext(&fiber.context, RunFiber, 0);
    block.ready.push_back(&fiber);
  }
}

// One warp is in favour for a while, so that warps run far ahead of each other where nothing holds them.
inline Fiber* Draw(Block& block) {
  if (g_order() % 1024 == 0) block.favoured = static_cast<int>(g_order() % block.warps.size());
  size_t drawn = g_order() % block.ready.size();
  for (int i = 0; i < 8 && block.ready[drawn]->thread / 32 != block.favoured; ++i) {
    drawn = g_order() % block.ready.size();
  }
  std::swap(block.ready[drawn], block.ready.back());
  Fiber* fiber = block.ready.back();
  block.ready.pop_back();
  return fiber;
}

// Shared memory is an allocation of exactly its size, of NaN, so that the address sanitizer guards it.
inline void RunBlock(int x, int y, int z, int threads, int shared_bytes, std::function<void()> kernel) {
  Block block;
  block.x = x, block.y = y, block.z = z, block.threads = threads;
  block.kernel = std::move(kernel);
  const std::unique_ptr<void, decltype(&std::free)> shared(
      std::aligned_alloc(16, static_cast<size_t>((shared_bytes + 15) / 16 * 16)), &std::free);
  std::memset(shared.get(), 0xFF, static_cast<size_t>(shared_bytes));
  block.shared = static_cast<std::byte*>(shared.get());
  Prepare(block);
  g_block = &block;
  while (!block.ready.empty()) {
    g_fiber = Draw(block);
    swapcontext(&block.scheduler, &g_fiber->context);
  }
  for (const Fiber& fiber : block.fibers) Require(fiber.done, "threads wait for others that never come");
}

}  // namespace mmcore::cuda::emulated

#endif  // MMCORE_CUDA_EMULATED_BLOCK_H_
