#include "tf/image_attributes.h"

#include <cstring>
#include <string>

#include "core/base/errors.h"

namespace mmcore::tf {

size_t ReadSide(const Attributes& attributes, const char* name) {
  const int64_t side = attributes.Int(name);
  if (side < 1 || side > static_cast<int64_t>(image::kMaxSide)) {
    throw InvalidArgument(std::string(name) + " must be 1 to 2^24, got " + std::to_string(side));
  }
  return static_cast<size_t>(side);
}

image::Normalization ReadNormalization(const Attributes& attributes) {
  const std::string bytes = attributes.String("mean_std");
  constexpr size_t kPair = 2 * sizeof(double);
  if (bytes.size() != kPair && bytes.size() != 3 * kPair) {
    throw InvalidArgument("mean_std must be 16 or 48 bytes, one or three float64 of each, got " +
                          std::to_string(bytes.size()));
  }
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  const Span<const double> all(values);
  const size_t channels = values.size() / 2;
  return image::Normalization(all.first(channels), all.subspan(channels, channels));
}

image::DType DTypeOf(TF_DataType type) {
  if (type == TF_FLOAT) return image::DType::kFloat32;
  if (type == TF_BFLOAT16) return image::DType::kBfloat16;
  return type == TF_HALF ? image::DType::kFloat16 : image::DType::kUint8;
}

std::vector<image::ImageView> ImagesOf(const Tensor& images, size_t channels) {
  const Shape& shape = images.shape();
  const size_t rank = images.rank();
  if ((rank != 3 && rank != 4) || shape[rank - 1] != static_cast<int64_t>(channels)) {
    const std::string axes = "height, width, " + std::to_string(channels) + "]";
    throw InvalidArgument("images must be uint8 [" + axes + " or [B, " + axes + ", got " + ShapeText(shape));
  }
  const auto axis = [&](size_t from_end) { return static_cast<size_t>(shape[rank - from_end]); };
  const size_t height = axis(3), width = axis(2), count = rank == 4 ? axis(4) : 1;
  if (count > 0 && (height == 0 || width == 0)) {  // Before a list of `count` views is made: nothing bounds it.
    throw InvalidArgument("an image must have at least one row and column, got " + ShapeText(shape));
  }
  const size_t row = channels * width;
  const uint8_t* pixels = images.data<const uint8_t>().data();
  std::vector<image::ImageView> views(count);
  for (size_t i = 0; i < count; ++i) views[i] = {pixels + i * height * row, height, width, channels, row};
  return views;
}

}  // namespace mmcore::tf
