// MmcoreNorm: x [..., width], scale [width] and a list of no or one bias [width] -> y of x's shape; and MmcoreNormGrad.
#include "core/norm/norm.h"

#include <string>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "tf/norm_problem.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

void* Data(const Tensor& tensor) { return TF_TensorData(tensor.get()); }

// What a node says of its arguments before it runs.
class NormNode {
 public:
  explicit NormNode(const Attributes& attributes) : dtype_(attributes.Type("T")) {
    const std::string text = attributes.String("options");
    Integers integers(text);
    options_ = ReadNormOptions(integers);
    integers.CheckEnd();
    options_.dtype = dtype_ == TF_BFLOAT16 ? Dtype::kBfloat16 : Dtype::kFloat32;
    const int64_t biases = attributes.Int("num_biases");
    if (biases != 0 && biases != 1) throw InvalidArgument("num_biases must be 0 or 1, got " + std::to_string(biases));
    has_bias_ = biases == 1;
  }

  TF_DataType dtype() const { return dtype_; }
  bool has_bias() const { return has_bias_; }

  // The problem of these tensors, which must outlive it; `bias` is ignored where there is none.
  norm::Problem Read(const Tensor& x, const Tensor& scale, const Tensor* bias) const {
    const Shape& shape = x.shape();
    if (shape.empty() || shape.back() == 0) {
      throw InvalidArgument("x must be [..., width] with at least one column, got " + ShapeText(shape));
    }
    const Shape width = {shape.back()};
    if (scale.shape() != width) throw InvalidArgument("scale" + Expected(width, scale));
    if (bias != nullptr && bias->shape() != width) throw InvalidArgument("bias" + Expected(width, *bias));
    norm::Problem problem = options_;
    problem.width = scale.size();
    problem.rows = x.size() / problem.width;
    problem.x = Data(x);
    problem.scale = scale.data<const float>().data();
    if (bias != nullptr) problem.bias = bias->data<const float>().data();
    return problem;
  }

 private:
  static std::string Expected(const Shape& width, const Tensor& found) {
    return " must be " + ShapeText(width) + ", as wide as x, got " + ShapeText(found.shape());
  }

  const TF_DataType dtype_;
  norm::Problem options_;
  bool has_bias_ = false;
};

class NormKernel {
 public:
  explicit NormKernel(const Attributes& attributes) : node_(attributes) {}

  void Compute(const Run& run) const {
    const Tensor x = run.Input(0), scale = run.Input(1), bias = run.Input(node_.has_bias() ? 2 : 1);
    const norm::Problem problem = node_.Read(x, scale, node_.has_bias() ? &bias : nullptr);
    const Tensor y = run.Output(0, node_.dtype(), x.shape());
    PoolExecutor executor;
    norm::Forward(problem, Data(y), executor);
  }

 private:
  const NormNode node_;
};

class NormGradKernel {
 public:
  explicit NormGradKernel(const Attributes& attributes) : node_(attributes) {}

  void Compute(const Run& run) const {
    const Tensor x = run.Input(0), scale = run.Input(1), dy = run.Input(2);
    const norm::Problem problem = node_.Read(x, scale, nullptr);
    if (dy.shape() != x.shape()) {
      throw InvalidArgument("dy must be of x's shape " + ShapeText(x.shape()) + ", got " + ShapeText(dy.shape()));
    }
    const Tensor dx = run.Output(0, node_.dtype(), x.shape()), dscale = run.Output(1, TF_FLOAT, scale.shape());
    norm::Gradients gradients;
    gradients.dy = Data(dy);
    gradients.dx = Data(dx);
    gradients.dscale = dscale.data<float>().data();
    PoolExecutor executor;
    if (!node_.has_bias()) return norm::Backward(problem, gradients, executor);
    const Tensor dbias = run.Output(2, TF_FLOAT, scale.shape());
    gradients.dbias = dbias.data<float>().data();
    norm::Backward(problem, gradients, executor);
  }

 private:
  const NormNode node_;
};

void InferNorm(const Shapes& shapes) {
  shapes.CheckRank(1, 1, 1);
  shapes.SetOutput(0, 0, 0, {});
}

void InferNormGrad(const Shapes& shapes) {
  shapes.CheckRank(1, 1, 1);
  shapes.SetUnknown();  // A shape function does not see whether there is a bias.
  shapes.SetOutput(0, 0, 0, {});
  shapes.SetOutput(1, 1, 0, {});
}

}  // namespace

void RegisterNorm() {
  Register<NormKernel, InferNorm>({"MmcoreNorm",
                                   {"x: T", "scale: float", "bias: num_biases * float"},
                                   {"T: {float, bfloat16}", "options: string", "num_biases: int >= 0"},
                                   {"y: T"}});
  Register<NormGradKernel, InferNormGrad>({"MmcoreNormGrad",
                                           {"x: T", "scale: float", "dy: T"},
                                           {"T: {float, bfloat16}", "options: string", "num_biases: int >= 0"},
                                           {"dx: T", "dscale: float", "dbias: num_biases * float"}});
}

}  // namespace mmcore::tf
