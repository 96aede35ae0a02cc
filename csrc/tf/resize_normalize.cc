// MmcoreResizeNormalize: uint8 [height, width, 3] or [B, height, width, 3] -> [(B,) size, size, 3], float32
// normalised or uint8 as resized.
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/resize.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

// Six float64, mean and std: bytes, because TensorFlow's float attributes have single precision.
image::Normalization ReadNormalization(const std::string& bytes) {
  std::array<double, 3> values[2];
  if (bytes.size() != sizeof(values)) {
    throw InvalidArgument("mean_std must be 48 bytes, three float64 of each, got " + std::to_string(bytes.size()));
  }
  std::memcpy(values, bytes.data(), sizeof(values));
  return image::Normalization(values[0], values[1]);
}

size_t ReadSide(const Attributes& attributes, const char* name) {
  const int64_t side = attributes.Int(name);
  if (side < 1 || side > static_cast<int64_t>(image::kMaxSide)) {
    throw InvalidArgument(std::string(name) + " must be 1 to 2^24, got " + std::to_string(side));
  }
  return static_cast<size_t>(side);
}

class ResizeNormalizeKernel {
 public:
  explicit ResizeNormalizeKernel(const Attributes& attributes)
      : size_(ReadSide(attributes, "size")),
        shorter_(ReadSide(attributes, "shorter")),
        center_(attributes.String("crop") == "center"),
        dtype_(attributes.Type("dtype")),
        options_{size_, size_, image::ParseFilter(attributes.String("resize"))},
        normalization_(ReadNormalization(attributes.String("mean_std"))) {
    if (center_ && shorter_ < size_) {
      throw InvalidArgument("shorter must be at least size=" + std::to_string(size_) + ", got " +
                            std::to_string(shorter_));
    }
  }

  void Compute(const Run& run) const {
    const Tensor images = run.Input(0);
    Shape shape = images.shape();
    const size_t rank = images.rank();
    if ((rank != 3 && rank != 4) || shape[rank - 1] != 3) {
      throw InvalidArgument("images must be uint8 [height, width, 3] or [B, height, width, 3], got " +
                            ShapeText(shape));
    }
    const std::vector<image::ResizeItem> items = Items(images);
    shape[rank - 3] = shape[rank - 2] = static_cast<int64_t>(size_);
    const Tensor out = run.Output(0, dtype_, shape);
    PoolExecutor executor;
    if (dtype_ == TF_FLOAT) {
      image::ResizeNormalizeBatch(items, options_, normalization_, out.data<float>().data(), executor);
    } else {
      image::ResizeBatch(items, options_, out.data<uint8_t>().data(), executor);
    }
  }

 private:
  std::vector<image::ResizeItem> Items(const Tensor& images) const {
    const size_t rank = images.rank();
    const auto axis = [&](size_t from_end) { return static_cast<size_t>(images.shape()[rank - from_end]); };
    const size_t height = axis(3), width = axis(2), count = rank == 4 ? axis(4) : 1;
    if (count > 0 && (height == 0 || width == 0)) {  // Before a list of `count` items is made: nothing bounds it.
      throw InvalidArgument("an image must have at least one row and column, got " + ShapeText(images.shape()));
    }
    std::vector<image::ResizeItem> items(count, Item({nullptr, height, width, 3, 3 * width}));
    const uint8_t* pixels = images.data<const uint8_t>().data();
    for (size_t i = 0; i < count; ++i) items[i].image.data = pixels + i * height * width * 3;
    return items;
  }

  // The rule of mmcore/image/geometry.py, in the same floating-point operations.
  image::ResizeItem Item(const image::ImageView& image) const {
    image::ResizeItem item = image::WholeImage(image, size_, size_);
    if (!center_ || image.height == 0 || image.width == 0) return item;
    const auto scaled = [&](size_t longer, size_t shorter) {
      return static_cast<size_t>(static_cast<double>(shorter_ * longer) / static_cast<double>(shorter));
    };
    const bool portrait = image.width <= image.height;
    item.full_height = portrait ? scaled(image.height, image.width) : shorter_;
    item.full_width = portrait ? shorter_ : scaled(image.width, image.height);
    item.top = (item.full_height - size_) / 2;
    item.left = (item.full_width - size_) / 2;
    return item;
  }

  const size_t size_, shorter_;
  const bool center_;
  const TF_DataType dtype_;
  const image::ResizeOptions options_;
  const image::Normalization normalization_;
};

void InferResizeNormalize(const Shapes& shapes) {
  shapes.CheckRank(0, 3, 4);
  shapes.SetOutput(0, 0, 3, {Shapes::kUnknown, Shapes::kUnknown, 3});
}

}  // namespace

void RegisterResizeNormalize() {
  Register<ResizeNormalizeKernel, InferResizeNormalize>(
      {"MmcoreResizeNormalize",
       {"images: uint8"},
       {"size: int", "shorter: int", "crop: {'center', 'none'} = 'center'",
        "resize: {'bicubic', 'bilinear'} = 'bicubic'", "mean_std: string", "dtype: {float, uint8} = DT_FLOAT"},
       {"resized: dtype"}});
}

}  // namespace mmcore::tf
