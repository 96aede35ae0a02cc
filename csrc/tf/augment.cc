// MmcoreAugment: uint8 [height, width, 3] with one index, or [B, height, width, 3] with B of them -> [(B,) height,
// width, 3] of the size in the attributes, or 3 before both sizes; normalised, or uint8.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/augment/augmentation.h"
#include "tf/image_attributes.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

// Float64 numbers as bytes, because TensorFlow's float attributes have single precision.
std::vector<double> ReadNumbers(const std::string& bytes) {
  if (bytes.size() % sizeof(double) != 0) throw InvalidArgument("numbers must be whole float64 values");
  std::vector<double> numbers(bytes.size() / sizeof(double));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

class AugmentKernel {
 public:
  explicit AugmentKernel(const Attributes& attributes)
      : augmentation_(Span<const double>(ReadNumbers(attributes.String("spec")))),
        options_{ReadSide(attributes, "height"), ReadSide(attributes, "width"),
                 image::ParseFilter(attributes.String("resize"))},
        dtype_(attributes.Type("dtype")),
        format_{DTypeOf(dtype_),
                attributes.String("layout") == "NCHW" ? image::Layout::kNchw : image::Layout::kNhwc},
        normalization_(ReadNormalization(attributes)) {
    if (normalization_.channels != 3) throw InvalidArgument("mean_std must be six float64, three of each");
  }

  void Compute(const Run& run) const {
    const Tensor images = run.Input(0), indices = run.Input(1), seed = run.Input(2);
    const std::vector<image::ImageView> views = ImagesOf(images, 3);
    Shape shape = images.shape();
    const Shape wanted(shape.begin(), shape.end() - 3);
    if (indices.shape() != wanted || seed.rank() != 0) {
      throw InvalidArgument("indices must be " + ShapeText(wanted) + " for images " + ShapeText(shape) +
                            " and seed a scalar, got " + ShapeText(indices.shape()) + " and " +
                            ShapeText(seed.shape()));
    }
    std::vector<uint64_t> numbers(indices.size());
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint64_t>(indices.data<const int64_t>()[i]);
    const Shape size = Size();
    std::copy(size.begin(), size.end(), shape.end() - 3);
    const Tensor out = run.Output(0, dtype_, shape);
    const auto key = static_cast<uint64_t>(seed.data<const int64_t>()[0]);
    PoolExecutor executor;
    augmentation_.Run(views, numbers, key, options_, normalization_, format_, out.data<uint8_t>().data(), executor);
  }

 private:
  Shape Size() const {
    const auto height = static_cast<int64_t>(options_.height), width = static_cast<int64_t>(options_.width);
    return format_.layout == image::Layout::kNchw ? Shape{3, height, width} : Shape{height, width, 3};
  }

  const image::Augmentation augmentation_;
  const image::ResizeOptions options_;
  const TF_DataType dtype_;
  const image::BatchFormat format_;
  const image::Normalization normalization_;
};

void InferAugment(const Shapes& shapes) {
  shapes.CheckRank(0, 3, 4);
  shapes.CheckRank(1, 0, 1);
  shapes.CheckRank(2, 0, 0);
  shapes.SetOutput(0, 0, 3, {Shapes::kUnknown, Shapes::kUnknown, Shapes::kUnknown});
}

}  // namespace

void RegisterAugment() {
  Register<AugmentKernel, InferAugment>({"MmcoreAugment",
                                         {"images: uint8", "indices: int64", "seed: int64"},
                                         {"spec: string", "height: int", "width: int", "resize: string",
                                          "layout: {'NHWC', 'NCHW'} = 'NHWC'", "mean_std: string",
                                          "dtype: {float, uint8, bfloat16, half} = DT_FLOAT"},
                                         {"augmented: dtype"}});
}

}  // namespace mmcore::tf
