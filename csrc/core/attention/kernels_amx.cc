// AVX-512 with products of pairs of bfloat16 by AMX: tiles of 16 rows of 64 bytes, of which one instruction multiplies
// two and adds to a third. A panel of b lies as the instruction wants it already: rows of pairs.
#include "core/attention/kernels.h"

#if MMCORE_X86

#include <cpuid.h>
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define MMCORE_TARGET_AMX __attribute__((target("amx-tile,amx-bf16")))

namespace mmcore::attention {
namespace {

constexpr size_t kTileSide = 16;  // Rows of a tile, pairs of a row, and columns.

// What LDTILECFG reads.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  // A tile without rows must have no columns either.
  void Set(int tile, size_t tile_rows, size_t columns) {
    if (tile_rows == 0) return;
    rows[tile] = static_cast<uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<uint16_t>(columns * sizeof(float));
  }
};

// Tiles 0 to 3 are sums, two by two; 4 and 5 rows of a, 6 and 7 columns of b.
MMCORE_TARGET_AMX void Configure(size_t upper_rows, size_t lower_rows, size_t depth) {
  TileShapes shapes;
  for (int j = 0; j < 2; ++j) {
    shapes.Set(j, upper_rows, kTileSide);
    shapes.Set(2 + j, lower_rows, kTileSide);
    shapes.Set(6 + j, depth, kTileSide);
  }
  shapes.Set(4, upper_rows, depth);
  shapes.Set(5, lower_rows, depth);
  // GCC's intrinsic claims to read eight bytes, so the rest would never be written.
  asm volatile("" : : "r"(&shapes) : "memory");
  _tile_loadconfig(&shapes);
}

struct Operands {
  const float *a, *b;
  float* c;
  size_t a_row, b_depth, c_row;  // In bytes.
  size_t a_lower, c_lower;       // From the first to the second tile of rows, in floats.
};

// `steps` steps of `depth` pairs, for one or two tiles of rows and of columns.
template <bool kLower, bool kRight>
MMCORE_TARGET_AMX void Tiles(const Operands& at, size_t steps, size_t depth, bool add) {
  float* const lower = at.c + at.c_lower;
  if (add) {
    _tile_loadd(0, at.c, at.c_row);
    if (kRight) _tile_loadd(1, at.c + kTileSide, at.c_row);
    if (kLower) _tile_loadd(2, lower, at.c_row);
    if (kLower && kRight) _tile_loadd(3, lower + kTileSide, at.c_row);
  } else {
    _tile_zero(0);
    if (kRight) _tile_zero(1);
    if (kLower) _tile_zero(2);
    if (kLower && kRight) _tile_zero(3);
  }
  const float *a = at.a, *b = at.b;
  for (size_t step = 0; step < steps; ++step) {
    _tile_loadd(6, b, at.b_depth);
    _tile_loadd(4, a, at.a_row);
    _tile_dpbf16ps(0, 4, 6);
    if (kRight) {
      _tile_loadd(7, b + kTileSide, at.b_depth);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (kLower) {
      _tile_loadd(5, a + at.a_lower, at.a_row);
      _tile_dpbf16ps(2, 5, 6);
      if (kRight) _tile_dpbf16ps(3, 5, 7);
    }
    a += depth;
    b += depth * at.b_depth / sizeof(float);
  }
  _tile_stored(0, at.c, at.c_row);
  if (kRight) _tile_stored(1, at.c + kTileSide, at.c_row);
  if (kLower) _tile_stored(2, lower, at.c_row);
  if (kLower && kRight) _tile_stored(3, lower + kTileSide, at.c_row);
}

// Rows [begin, begin + upper + lower) times all columns, for depths [first, first + steps * depth).
MMCORE_TARGET_AMX void Rows(const Product& product, size_t begin, size_t upper, size_t lower, size_t first,
                            size_t steps, size_t depth, bool add) {
  Configure(upper, lower, depth);
  const size_t panel = Avx512Kernels().panel;
  for (size_t column = 0; column < product.columns; column += 2 * kTileSide) {
    Operands at;
    at.a = product.a + begin * product.a_row + first;
    at.b = product.b + column / panel * product.b_panel + column % panel + first * product.b_depth;
    at.c = product.c + begin * product.c_row + column;
    at.a_row = product.a_row * sizeof(float);
    at.b_depth = product.b_depth * sizeof(float);
    at.c_row = product.c_row * sizeof(float);
    at.a_lower = upper * product.a_row;
    at.c_lower = upper * product.c_row;
    const bool right = column + kTileSide < product.columns;
    if (lower > 0 && right) Tiles<true, true>(at, steps, depth, add);
    if (lower > 0 && !right) Tiles<true, false>(at, steps, depth, add);
    if (lower == 0 && right) Tiles<false, true>(at, steps, depth, add);
    if (lower == 0 && !right) Tiles<false, false>(at, steps, depth, add);
  }
}

// Depths that fill tiles, then the rest of less than a tile.
MMCORE_TARGET_AMX void Multiply(const Product& product) {
  const size_t steps = product.depth / kTileSide, rest = product.depth % kTileSide;
  for (size_t begin = 0; begin < product.rows; begin += 2 * kTileSide) {
    const size_t rows = std::min(2 * kTileSide, product.rows - begin);
    const size_t upper = std::min(kTileSide, rows), lower = rows - upper;
    if (steps > 0) Rows(product, begin, upper, lower, 0, steps, kTileSide, product.add);
    if (rest > 0) Rows(product, begin, upper, lower, steps * kTileSide, 1, rest, product.add || steps > 0);
  }
  _tile_release();
}

Kernels WithTiles() {
  static PairKernels pairs = *Avx512Bf16Kernels().pairs;
  pairs.product = &Multiply;
  Kernels kernels = Avx512Kernels();
  kernels.pairs = &pairs;
  return kernels;
}

// Linux gives a process tiles when it asks; elsewhere they are not used.
bool AskForTiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool ProcessorHasTiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kBf16) != 0 && (d & kTile) != 0;
}

}  // namespace

const Kernels& AmxKernels() {
  static const Kernels kernels = WithTiles();
  return kernels;
}

bool HasAmx() {
  static const bool has = HasAvx512Bf16() && ProcessorHasTiles() && AskForTiles();
  return has;
}

}  // namespace mmcore::attention

#endif  // MMCORE_X86
