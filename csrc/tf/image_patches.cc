// MmcoreImagePatches: uint8 [height, width, C] or [B, height, width, C] -> patches [(B,) max_patches, patch_size x
// patch_size x C], normalised or uint8, and shapes int32 [(B,) 2], rows and columns of patches. C is 3 or 1.
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/patches.h"
#include "tf/image_attributes.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

size_t ReadCount(const Attributes& attributes, const char* name) {
  const int64_t count = attributes.Int(name);
  if (count < 1) throw InvalidArgument(std::string(name) + " must be positive, got " + std::to_string(count));
  return static_cast<size_t>(count);
}

class ImagePatchesKernel {
 public:
  explicit ImagePatchesKernel(const Attributes& attributes)
      : dtype_(attributes.Type("dtype")),
        options_{ReadSide(attributes, "patch_size"), ReadCount(attributes, "max_patches"),
                 image::ParseFilter(attributes.String("resize")), DTypeOf(dtype_)},
        normalization_(ReadNormalization(attributes)) {
    image::PatchBytes(options_, normalization_.channels);
  }

  void Compute(const Run& run) const {
    const Tensor images = run.Input(0);
    const std::vector<image::ImageView> views = ImagesOf(images, normalization_.channels);
    const Shape batch(images.shape().begin(), images.shape().end() - 3);
    const size_t length = options_.patch_size * options_.patch_size * normalization_.channels;
    Shape patches_shape = batch, grid_shape = batch;
    patches_shape.push_back(static_cast<int64_t>(options_.max_patches));
    patches_shape.push_back(static_cast<int64_t>(length));
    grid_shape.push_back(2);
    const Tensor patches = run.Output(0, dtype_, patches_shape);
    const Tensor shapes = run.Output(1, TF_INT32, grid_shape);
    PoolExecutor executor;
    image::PatchBatch(views, options_, normalization_, patches.data<uint8_t>().data(),
                      shapes.data<int32_t>().data(), executor);
  }

 private:
  const TF_DataType dtype_;
  const image::PatchOptions options_;
  const image::Normalization normalization_;
};

void InferImagePatches(const Shapes& shapes) {
  shapes.CheckRank(0, 3, 4);
  shapes.SetOutput(0, 0, 3, {Shapes::kUnknown, Shapes::kUnknown});
  shapes.SetOutput(1, 0, 3, {2});
}

}  // namespace

void RegisterImagePatches() {
  Register<ImagePatchesKernel, InferImagePatches>(
      {"MmcoreImagePatches",
       {"images: uint8"},
       {"patch_size: int", "max_patches: int",
        "resize: {'nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'} = 'bilinear'", "mean_std: string",
        "dtype: {float, uint8, bfloat16, half} = DT_FLOAT"},
       {"patches: dtype", "shapes: int32"}});
}

}  // namespace mmcore::tf
