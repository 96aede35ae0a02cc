// MmcoreResizeNormalize: uint8 [height, width, C] or [B, height, width, C] -> [(B,) size, size, C], or C before both
// sizes; normalised, or uint8 as resized. C is 3 or 1.
#include <string>
#include <utility>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/resize.h"
#include "tf/image_attributes.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

image::BatchFormat ReadFormat(const Attributes& attributes) {
  const bool planar = attributes.String("layout") == "NCHW";
  return {DTypeOf(attributes.Type("dtype")), planar ? image::Layout::kNchw : image::Layout::kNhwc};
}

class ResizeNormalizeKernel {
 public:
  explicit ResizeNormalizeKernel(const Attributes& attributes)
      : size_(ReadSide(attributes, "size")),
        shorter_(ReadSide(attributes, "shorter")),
        center_(attributes.String("crop") == "center"),
        dtype_(attributes.Type("dtype")),
        format_(ReadFormat(attributes)),
        options_{size_, size_, image::ParseFilter(attributes.String("resize"))},
        normalization_(ReadNormalization(attributes)) {
    if (center_ && shorter_ < size_) {
      throw InvalidArgument("shorter must be at least size=" + std::to_string(size_) + ", got " +
                            std::to_string(shorter_));
    }
  }

  void Compute(const Run& run) const {
    const Tensor images = run.Input(0);
    const std::vector<image::ResizeItem> items = Items(images);
    Shape shape = images.shape();
    const size_t rank = images.rank();
    shape[rank - 3] = shape[rank - 2] = static_cast<int64_t>(size_);
    if (format_.layout == image::Layout::kNchw) std::swap(shape[rank - 3], shape[rank - 1]);
    const Tensor out = run.Output(0, dtype_, shape);
    PoolExecutor executor;
    image::ResizeBatch(items, options_, normalization_, format_, out.data<uint8_t>().data(), executor);
  }

 private:
  std::vector<image::ResizeItem> Items(const Tensor& images) const {
    const std::vector<image::ImageView> views = ImagesOf(images, normalization_.channels);
    std::vector<image::ResizeItem> items;
    items.reserve(views.size());
    for (const image::ImageView& view : views) items.push_back(Item(view));
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
  const image::BatchFormat format_;
  const image::ResizeOptions options_;
  const image::Normalization normalization_;
};

void InferResizeNormalize(const Shapes& shapes) {
  shapes.CheckRank(0, 3, 4);
  shapes.SetOutput(0, 0, 3, {Shapes::kUnknown, Shapes::kUnknown, Shapes::kUnknown});
}

}  // namespace

void RegisterResizeNormalize() {
  Register<ResizeNormalizeKernel, InferResizeNormalize>(
      {"MmcoreResizeNormalize",
       {"images: uint8"},
       {"size: int", "shorter: int", "crop: {'center', 'none'} = 'center'",
        "resize: {'nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'} = 'bicubic'", "mean_std: string",
        "layout: {'NHWC', 'NCHW'} = 'NHWC'", "dtype: {float, uint8, bfloat16, half} = DT_FLOAT"},
       {"resized: dtype"}});
}

}  // namespace mmcore::tf
