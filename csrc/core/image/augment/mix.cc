#include "core/image/augment/mix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "core/base/errors.h"

namespace mmcore::image {
namespace {

constexpr uint32_t kMixupPurpose = 1 << 16;
constexpr uint32_t kCutMixPurpose = kMixupPurpose + 1;

double DrawNormal(Stream& stream) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - stream.Uniform()));
  return radius * std::cos(6.283185307179586 * stream.Uniform());
}

// The logarithm of a gamma variate.
double DrawLogGamma(Stream& stream, double alpha) {
  const double d = (alpha < 1.0 ? alpha + 1.0 : alpha) - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = DrawNormal(stream);
    const double u = 1.0 - stream.Uniform();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (std::log(u) >= 0.5 * x * x + d - d * v + d * std::log(v)) continue;
    const double sample = std::log(d) + std::log(v);
    return alpha < 1.0 ? sample + std::log(1.0 - stream.Uniform()) / alpha : sample;
  }
}

void CheckAlpha(double alpha) {
  if (!(alpha >= 0.01 && alpha <= 100.0)) {
    throw InvalidArgument("alpha must be 0.01 to 100, got " + std::to_string(alpha));
  }
}

size_t Neighbour(const MixBatch& batch, size_t i) {
  return i == 0 ? batch.count - 1 : i - 1;
}

void Blend(const float* a, const float* b, size_t size, float share, float* out) {
  const float rest = 1.0f - share;
  for (size_t i = 0; i < size; ++i) out[i] = share * a[i] + rest * b[i];
}

void BlendRow(const MixBatch& batch, const float* rows, size_t size, size_t i, float share, float* out) {
  Blend(rows + i * size, rows + Neighbour(batch, i) * size, size, share, out + i * size);
}

// The part of [center - half, center + half) inside [0, size).
Range Cut(double center, double half, double size) {
  return {std::max(center - half, 0.0), std::min(center + half, size)};
}

Rectangle DrawBox(Stream& stream, const MixBatch& batch, double share) {
  const double half = 0.5 * std::sqrt(1.0 - share);
  const auto width = static_cast<double>(batch.width), height = static_cast<double>(batch.height);
  const auto x = static_cast<double>(stream.Below(batch.width));
  const auto y = static_cast<double>(stream.Below(batch.height));
  const Range columns = Cut(x, std::floor(half * width), width);
  const Range rows = Cut(y, std::floor(half * height), height);
  return {static_cast<size_t>(columns.low), static_cast<size_t>(rows.low),
          static_cast<size_t>(columns.high - columns.low), static_cast<size_t>(rows.high - rows.low)};
}

}  // namespace

double DrawBeta(Stream& stream, double alpha) {
  const double first = DrawLogGamma(stream, alpha);
  const double second = DrawLogGamma(stream, alpha);
  return 1.0 / (1.0 + std::exp(second - first));
}

void Mixup(const MixBatch& batch, double alpha, uint64_t seed, uint64_t step, const float* images,
           const float* labels, float* out_images, float* out_labels, Executor& executor) {
  CheckAlpha(alpha);
  Stream stream(seed, step, kMixupPurpose);
  const auto share = static_cast<float>(DrawBeta(stream, alpha));
  const size_t size = batch.height * batch.width * batch.pixel_bytes / sizeof(float);
  if (size == 0 && batch.num_classes == 0) return;  // Then nothing bounds `count`.
  executor.ParallelFor(batch.count, [&](size_t i) {
    BlendRow(batch, images, size, i, share, out_images);
    BlendRow(batch, labels, batch.num_classes, i, share, out_labels);
  });
}

void CutMix(const MixBatch& batch, double alpha, uint64_t seed, uint64_t step, const void* images,
            const float* labels, void* out_images, float* out_labels, Executor& executor) {
  CheckAlpha(alpha);
  Stream stream(seed, step, kCutMixPurpose);
  const double drawn = DrawBeta(stream, alpha);
  if (batch.height == 0 || batch.width == 0) throw InvalidArgument("images to be cut must have pixels");
  const Rectangle box = DrawBox(stream, batch, drawn);
  const auto area = static_cast<double>(batch.height * batch.width);
  const auto share = static_cast<float>(1.0 - static_cast<double>(box.height * box.width) / area);
  const size_t row_bytes = batch.width * batch.pixel_bytes, image_bytes = batch.height * row_bytes;
  if (image_bytes == 0 && batch.num_classes == 0) return;  // Then nothing bounds `count`.
  const auto* in = static_cast<const uint8_t*>(images);
  auto* out = static_cast<uint8_t*>(out_images);
  const auto paste = [&](size_t i) {
    uint8_t* image = out + i * image_bytes;
    const uint8_t* neighbour = in + Neighbour(batch, i) * image_bytes;
    std::memcpy(image, in + i * image_bytes, image_bytes);
    for (size_t y = box.top; y < box.top + box.height; ++y) {
      const size_t at = y * row_bytes + box.left * batch.pixel_bytes;
      std::memcpy(image + at, neighbour + at, box.width * batch.pixel_bytes);
    }
  };
  executor.ParallelFor(batch.count, [&](size_t i) {
    if (image_bytes > 0) paste(i);
    BlendRow(batch, labels, batch.num_classes, i, share, out_labels);
  });
}

}  // namespace mmcore::image
