// MmcoreMix: float32 [B, height, width, C] and labels float32 [B, K] -> the same, mixed by mixup or cutmix.
#include <cstring>
#include <string>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/augment/mix.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

class MixKernel {
 public:
  explicit MixKernel(const Attributes& attributes) : cut_(attributes.String("kind") == "cutmix") {
    const std::string bytes = attributes.String("alpha");  // A float64: TensorFlow's attributes are single precision.
    if (bytes.size() != sizeof(alpha_)) throw InvalidArgument("alpha must be the 8 bytes of a float64");
    std::memcpy(&alpha_, bytes.data(), sizeof(alpha_));
  }

  void Compute(const Run& run) const {
    const Tensor images = run.Input(0), labels = run.Input(1), seed = run.Input(2), step = run.Input(3);
    const Shape& shape = images.shape();
    if (shape.size() != 4 || labels.rank() != 2 || labels.shape()[0] != shape[0] || seed.rank() != 0 ||
        step.rank() != 0) {
      throw InvalidArgument("images must be [B, height, width, C], labels [B, K], seed and step scalars, got " +
                            ShapeText(shape) + ", " + ShapeText(labels.shape()) + ", " + ShapeText(seed.shape()) +
                            " and " + ShapeText(step.shape()));
    }
    const auto axis = [&](size_t i) { return static_cast<size_t>(shape[i]); };
    const image::MixBatch batch = {axis(0), axis(1), axis(2), axis(3) * sizeof(float),
                                   static_cast<size_t>(labels.shape()[1])};
    const Tensor out = run.Output(0, TF_FLOAT, shape), soft = run.Output(1, TF_FLOAT, labels.shape());
    const auto number = [](const Tensor& scalar) { return static_cast<uint64_t>(scalar.data<const int64_t>()[0]); };
    PoolExecutor executor;
    (cut_ ? Cut : image::Mixup)(batch, alpha_, number(seed), number(step), images.data<const float>().data(),
                                labels.data<const float>().data(), out.data<float>().data(),
                                soft.data<float>().data(), executor);
  }

 private:
  static void Cut(const image::MixBatch& batch, double alpha, uint64_t seed, uint64_t step, const float* images,
                  const float* labels, float* out_images, float* out_labels, Executor& executor) {
    image::CutMix(batch, alpha, seed, step, images, labels, out_images, out_labels, executor);
  }

  const bool cut_;
  double alpha_;
};

void InferMix(const Shapes& shapes) {
  shapes.CheckRank(0, 4, 4);
  shapes.CheckRank(1, 2, 2);
  shapes.CheckRank(2, 0, 0);
  shapes.CheckRank(3, 0, 0);
  shapes.SetOutput(0, 0, 0, {});
  shapes.SetOutput(1, 1, 0, {});
}

}  // namespace

void RegisterMix() {
  Register<MixKernel, InferMix>({"MmcoreMix",
                                 {"images: float", "labels: float", "seed: int64", "step: int64"},
                                 {"kind: {'mixup', 'cutmix'} = 'mixup'", "alpha: string"},
                                 {"mixed: float", "soft_labels: float"}});
}

}  // namespace mmcore::tf
