#include "core/image/sink.h"

#include <cstring>

namespace mmcore::image {
namespace {

// Memory for one row's planes that a thread keeps from row to row.
uint8_t* PlaneScratch(size_t num_bytes) {
  static thread_local Buffer<uint8_t> scratch;
  scratch.Reserve(num_bytes);
  return scratch.data();
}

}  // namespace

size_t ElementSize(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return 4;
    case DType::kBfloat16:
    case DType::kFloat16:
      return 2;
    case DType::kUint8:
      break;
  }
  return 1;
}

void ConvertRow(const uint8_t* row, size_t count, DType dtype, const Kernels& kernels,
                const Normalization& normalization, uint8_t* out) {
  switch (dtype) {
    case DType::kUint8:
      std::memcpy(out, row, count);
      break;
    case DType::kFloat32:
      kernels.to_float32(row, count, normalization, reinterpret_cast<float*>(out));
      break;
    case DType::kBfloat16:
      kernels.to_bfloat16(row, count, normalization, reinterpret_cast<uint16_t*>(out));
      break;
    case DType::kFloat16:
      kernels.to_float16(row, count, normalization, reinterpret_cast<uint16_t*>(out));
      break;
  }
}

void ByteSink::Row(size_t y, const uint8_t* row) {
  std::memcpy(out_ + y * row_bytes_, row, row_bytes_);
}

BatchWriter::BatchWriter(const ResizeOptions& options, const Normalization& normalization,
                         const BatchFormat& format)
    : options_(options),
      dtype_(format.dtype),
      element_size_(ElementSize(format.dtype)),
      kernels_(KernelsFor(options.isa)),
      normalization_(normalization) {
  if (format.layout == Layout::kNchw && normalization.channels > 1) {
    for (size_t c = 0; c < normalization.channels; ++c) planes_.push_back(normalization.Plane(c));
  }
}

void BatchWriter::Write(size_t y, const uint8_t* row, uint8_t* out) const {
  if (planes_.empty()) {
    return ConvertRow(row, options_.width * normalization_.channels, dtype_, kernels_, normalization_,
                      out + y * row_bytes());
  }
  const size_t stride = options_.width + kSlack;
  uint8_t* scratch = PlaneScratch(3 * stride);
  uint8_t* const planes[3] = {scratch, scratch + stride, scratch + 2 * stride};
  kernels_.split(row, options_.width, planes);
  for (size_t c = 0; c < 3; ++c) {
    const size_t first = (c * options_.height + y) * options_.width;
    ConvertRow(planes[c], options_.width, dtype_, kernels_, planes_[c], out + first * element_size_);
  }
}

}  // namespace mmcore::image
