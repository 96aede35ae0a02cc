// The definition of every kernel, for any processor; kernels.h says what each does.
#include <algorithm>

#include "core/image/kernels.h"
#include "core/image/taps.h"

namespace mmcore::image {
namespace {

uint8_t Clamp(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

void Encode(const int32_t weights[4], int32_t* words) {
  std::copy_n(weights, 4, words);
}

void Horizontal(const uint8_t* const rows[4], const uint32_t* offsets, const int32_t* words, size_t groups,
                size_t count, size_t channels, uint8_t* quad) {
  const size_t taps = 4 * groups;
  for (size_t x = 0; x < count; ++x, words += taps) {
    for (size_t r = 0; r < 4; ++r) {
      const uint8_t* pixel = rows[r] + offsets[x];
      for (size_t c = 0; c < channels; ++c) {
        int32_t sum = kRounding;
        for (size_t t = 0; t < taps; ++t) sum += words[t] * pixel[t * channels + c];
        quad[4 * (x * channels + c) + r] = Clamp(sum);
      }
    }
  }
}

void Vertical(const uint8_t* const* quads, const int32_t* words, size_t groups, size_t count, uint8_t* row) {
  for (size_t i = 0; i < count; ++i) {
    int32_t sum = kRounding;
    for (size_t g = 0; g < groups; ++g) {
      for (size_t r = 0; r < 4; ++r) sum += words[4 * g + r] * quads[g][4 * i + r];
    }
    row[i] = Clamp(sum);
  }
}

void Split(const uint8_t* row, size_t width, uint8_t* const planes[3]) {
  for (size_t c = 0; c < 3; ++c) {
    for (size_t x = 0; x < width; ++x) planes[c][x] = row[3 * x + c];
  }
}

template <typename T>
void LookUp(const uint8_t* row, size_t count, size_t channels, const T table[][256], T* out) {
  for (size_t i = 0; i + channels <= count; i += channels) {
    for (size_t c = 0; c < channels; ++c) out[i + c] = table[c][row[i + c]];
  }
}

void ToFloat32(const uint8_t* row, size_t count, const Normalization& n, float* out) {
  LookUp(row, count, n.channels, n.table, out);
}

void ToBfloat16(const uint8_t* row, size_t count, const Normalization& n, uint16_t* out) {
  LookUp(row, count, n.channels, n.bfloat16, out);
}

void ToFloat16(const uint8_t* row, size_t count, const Normalization& n, uint16_t* out) {
  LookUp(row, count, n.channels, n.float16, out);
}

}  // namespace

// Compilers turn these two loops into byte shuffles by themselves.
void Interleave(const uint8_t* const rows[4], size_t count, uint8_t* quad) {
  const uint8_t* const a = rows[0];
  const uint8_t* const b = rows[1];
  const uint8_t* const c = rows[2];
  const uint8_t* const d = rows[3];
  for (size_t i = 0; i < count; ++i) {
    quad[4 * i] = a[i];
    quad[4 * i + 1] = b[i];
    quad[4 * i + 2] = c[i];
    quad[4 * i + 3] = d[i];
  }
}

void Deinterleave(const uint8_t* quad, size_t count, uint8_t* const rows[4]) {
  for (size_t r = 0; r < 4; ++r) {
    for (size_t i = 0; i < count; ++i) rows[r][i] = quad[4 * i + r];
  }
}

const Kernels& ScalarKernels() {
  static constexpr Kernels kernels = {4,     Encode,    Horizontal, nullptr,  Vertical,
                                      Split, ToFloat32, ToBfloat16, ToFloat16};
  return kernels;
}

const Kernels& KernelsFor(Isa isa) {
#if MMCORE_X86
  if (isa == Isa::kAvx512 && HasAvx512Vnni()) return HasAvx512Vbmi() ? Avx512VbmiKernels() : Avx512Kernels();
  if (isa >= Isa::kAvx2) return Avx2Kernels();
#endif
  static_cast<void>(isa);
  return ScalarKernels();
}

}  // namespace mmcore::image
