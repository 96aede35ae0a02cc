// The primitives of device.h on the CPU, so that tests run the kernels, line for line, where there is no GPU. Each
// thread of a block is a fiber (emulated_block.h). The emulation is unkind on purpose: warps and lanes run in chance
// order, and what is copied asynchronously is NaN until its thread waits for it, so a missing barrier gives wrong
// results. It says nothing about speed, nor about what the compiler for the GPU makes of the code.
#ifndef MMCORE_CUDA_DEVICE_EMULATED_H_
#define MMCORE_CUDA_DEVICE_EMULATED_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "core/base/bfloat16.h"
#include "core/image/half.h"
#include "cuda/emulated_block.h"
#include "cuda/numbers.h"

#define MMCORE_DEVICE inline
#define MMCORE_BOTH inline
#define MMCORE_KERNEL(threads) void
#define MMCORE_PARAMETER const
#define MMCORE_UNROLL
#define MMCORE_UNROLL_TWICE

namespace mmcore::cuda {

using Stream = void*;

inline int ThreadIndex() { return emulated::Self().thread; }
inline int BlockX() { return emulated::g_block->x; }
inline int BlockY() { return emulated::g_block->y; }
inline int BlockZ() { return emulated::g_block->z; }
inline std::byte* SharedMemory() { return emulated::g_block->shared; }
inline void SyncBlock() { emulated::MeetBlock(); }
inline void SyncWarp() { emulated::MeetWarp(); }

template <typename T>
T ShuffleXor(T value, int lanes) {
  const emulated::Slot* slots = emulated::Exchange(&value, sizeof(value));
  std::memcpy(&value, slots[(ThreadIndex() % 32) ^ lanes].bytes, sizeof(value));
  return value;
}

inline float Exp2(float x) { return std::exp2(x); }
inline float Exp(float x) { return std::exp(x); }
inline float Log2(float x) { return std::log2(x); }
inline float Tanh(float x) { return std::tanh(x); }
inline float MultiplyAdd(float a, float b, float sum) { return std::fma(a, b, sum); }
inline float Max(float a, float b) { return std::fmax(a, b); }
inline float Infinity() { return std::numeric_limits<float>::infinity(); }

inline float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
inline float ToFloat(float x) { return x; }
inline float ToFloat(Bfloat16 x) { return FromBits(static_cast<uint32_t>(x.bits) << 16); }
inline float ToFloat(Float16 x) {
  const uint32_t sign = (x.bits & 0x8000u) << 16, exponent = (x.bits >> 10) & 31u, fraction = x.bits & 0x3FFu;
  if (exponent == 31) return FromBits(sign | 0x7F800000u | (fraction << 13));
  if (exponent > 0) return FromBits(sign | ((exponent + 112) << 23) | (fraction << 13));
  return std::copysign(static_cast<float>(fraction) * 0x1.0p-24f, FromBits(sign | 0x3F800000u));
}

inline uint16_t Round(Bfloat16, float x) { return std::isnan(x) ? uint16_t{0x7FFF} : ToBfloat16(x); }
inline uint16_t Round(Float16, float x) { return std::isnan(x) ? uint16_t{0x7FFF} : image::ToFloat16(x); }

template <typename T>
uint32_t Pack(float first, float second) {
  return Round(T{}, first) | (static_cast<uint32_t>(Round(T{}, second)) << 16);
}

inline void LoadMatrices(uint32_t (&to)[4], const void* row) {
  emulated::Require(reinterpret_cast<uintptr_t>(row) % 16 == 0, "ldmatrix: rows begin at multiples of 16 bytes");
  const emulated::Slot* slots = emulated::Exchange(&row, sizeof(row));
  const int lane = ThreadIndex() % 32;
  for (int matrix = 0; matrix < 4; ++matrix) {
    const std::byte* address;
    std::memcpy(&address, slots[8 * matrix + lane / 4].bytes, sizeof(address));
    std::memcpy(&to[matrix], address + 4 * (lane % 4), 4);
  }
}

inline void LoadMatricesTransposed(uint32_t (&to)[4], const void* row) {
  emulated::Require(reinterpret_cast<uintptr_t>(row) % 16 == 0, "ldmatrix: rows begin at multiples of 16 bytes");
  const emulated::Slot* slots = emulated::Exchange(&row, sizeof(row));
  const int lane = ThreadIndex() % 32;
  for (int matrix = 0; matrix < 4; ++matrix) {
    uint16_t values[2];
    for (int i = 0; i < 2; ++i) {
      const std::byte* address;
      std::memcpy(&address, slots[8 * matrix + 2 * (lane % 4) + i].bytes, sizeof(address));
      std::memcpy(&values[i], address + 2 * (lane / 4), 2);
    }
    to[matrix] = values[0] | (static_cast<uint32_t>(values[1]) << 16);
  }
}

// One lane's registers of mma.m16n8k16, and the places of their numbers as the instruction set's manual gives them.
struct Fragments {
  uint32_t left[4], right[2];
};

template <typename T>
float Half(uint32_t word, int half) {
  return ToFloat(T{static_cast<uint16_t>(word >> (16 * half))});
}

template <typename T>
void MultiplyAdd(float (&sum)[4], const uint32_t (&left)[4], uint32_t right0, uint32_t right1) {
  const Fragments mine{{left[0], left[1], left[2], left[3]}, {right0, right1}};
  const emulated::Slot* slots = emulated::Exchange(&mine, sizeof(mine));
  const int group = (ThreadIndex() % 32) / 4, in_group = ThreadIndex() % 4;
  for (int i = 0; i < 4; ++i) {
    const int row = i < 2 ? group : group + 8, column = 2 * in_group + (i & 1);
    for (int k = 0; k < 16; ++k) {
      Fragments a, b;
      // a_i of row r < 8: i in {0, 1, 4, 5}; the columns of i >= 4 are those from 8 on.
      std::memcpy(&a, slots[4 * (row % 8) + (k % 8) / 2].bytes, sizeof(a));
      std::memcpy(&b, slots[4 * column + (k % 8) / 2].bytes, sizeof(b));
      const int a_index = 4 * (k / 8) + 2 * (row / 8) + k % 2, b_index = 2 * (k / 8) + k % 2;
      sum[i] += Half<T>(a.left[a_index / 2], a_index % 2) * Half<T>(b.right[b_index / 2], b_index % 2);
    }
  }
}

inline void CopyAsync16(void* shared, const void* global, bool inside) {
  emulated::CopyLater(shared, global, 16, inside);
}
inline void CopyAsync4(void* shared, const void* global, bool inside) {
  emulated::CopyLater(shared, global, 4, inside);
}
inline void WaitForCopies() { emulated::CopyNow(); }

inline const char* Allocate(void** memory, size_t bytes, Stream) {
  *memory = std::malloc(bytes);
  return *memory == nullptr ? "out of memory" : nullptr;
}
inline const char* Free(void* memory, Stream) {
  std::free(memory);
  return nullptr;
}

struct Grid {
  int x, y, z;
};

template <typename Parameter>
const char* Launch(void (*kernel)(Parameter), const Grid& grid, int threads, int shared_bytes, Stream,
                   const Parameter& parameter) {
  for (int z = 0; z < grid.z; ++z) {
    for (int y = 0; y < grid.y; ++y) {
      for (int x = 0; x < grid.x; ++x) {
        emulated::RunBlock(x, y, z, threads, shared_bytes, [&] { kernel(parameter); });
      }
    }
  }
  return nullptr;
}

}  // namespace mmcore::cuda

#endif  // MMCORE_CUDA_DEVICE_EMULATED_H_
