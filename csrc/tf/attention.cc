// MmcoreAttention: q [B, T, H, K] and k, v [B, S, Hkv, K] -> out [B, T, H, K] and the logarithms of sums [B, H, T]; and
// MmcoreAttentionGrad. What may be left out is a list of no or one tensor (segments: of two).
#include "core/attention/attention.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/attention/check.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "tf/attention_problem.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

using attention::Dtype;
using attention::Problem;
using attention::Sizes;

void CheckShape(bool fits, const char* name, const char* expected, const Shape& found) {
  if (!fits) throw InvalidArgument(std::string(name) + " must be " + expected + ", got " + ShapeText(found));
}

size_t Axis(const Tensor& tensor, size_t i) { return static_cast<size_t>(tensor.shape()[i]); }

Sizes SizesOf(const Tensor& q, const Tensor& k, const Tensor& v) {
  CheckShape(q.rank() == 4, "q", "[B, T, H, K]", q.shape());
  const bool fits = k.rank() == 4 && k.shape()[0] == q.shape()[0] && k.shape()[3] == q.shape()[3];
  CheckShape(fits, "k", ("[B, S, Hkv, K] with B and K of q " + ShapeText(q.shape())).c_str(), k.shape());
  CheckShape(v.shape() == k.shape(), "v", ("of k's shape " + ShapeText(k.shape())).c_str(), v.shape());
  return {Axis(q, 0), Axis(q, 1), Axis(k, 1), Axis(q, 2), Axis(k, 2), Axis(q, 3)};
}

Axes AxesOf(const Sizes& sizes, const Tensor& x, const char* name) {
  const auto full = [&](size_t i, size_t size) { return Axis(x, i) == size; };
  const bool fits = x.rank() == 4 && (full(0, sizes.batch) || full(0, 1)) && (full(1, sizes.heads) || full(1, 1)) &&
                    (full(2, sizes.queries) || full(2, 1)) && full(3, sizes.keys);
  CheckShape(fits, name, "[B or 1, H or 1, T or 1, S]", x.shape());
  return {true, Axis(x, 0) != 1, Axis(x, 1) != 1, Axis(x, 2) != 1};
}

// The tensors of one run and the problem that they make. Both kernels begin with it.
class Arguments {
 public:
  Arguments(const Run& run, const Problem& options, const AttentionLayout& there) : layout_(there), problem_(options) {
    for (int i = 0; i < static_cast<int>(there.num_inputs()); ++i) tensors_.push_back(run.Input(i));
    const Sizes& sizes = layout_.sizes = SizesOf(tensors_[0], tensors_[1], tensors_[2]);
    size_t next = 3;
    if (there.mask.there) layout_.mask = AxesOf(sizes, tensors_[next++], "mask");
    if (there.bias.there) layout_.bias = AxesOf(sizes, tensors_[bias_ = next++], "bias");
    if (there.segments) {
      CheckRows(tensors_[next++], sizes.queries, "segment ids of queries");
      CheckRows(tensors_[next++], sizes.keys, "segment ids of keys");
    }
    if (there.seed) CheckShape(tensors_[next].shape() == Shape{2}, "seed", "[2]", tensors_[next].shape());
    std::vector<const void*> data;
    for (const Tensor& tensor : tensors_) data.push_back(TF_TensorData(tensor.get()));
    SetInputs(layout_, data.data(), problem_);
    attention::CheckProblem(problem_);
  }

  const Problem& problem() const { return problem_; }
  const Sizes& sizes() const { return problem_.sizes; }
  const Axes& bias_axes() const { return layout_.bias; }
  const Shape& q_shape() const { return tensors_[0].shape(); }
  const Shape& k_shape() const { return tensors_[1].shape(); }
  const Shape& bias_shape() const { return tensors_[bias_].shape(); }
  Shape lse_shape() const { return {q_shape()[0], q_shape()[2], q_shape()[1]}; }

 private:
  void CheckRows(const Tensor& x, size_t length, const char* name) const {
    const bool fits = x.rank() == 2 && Axis(x, 0) == layout_.sizes.batch && Axis(x, 1) == length;
    CheckShape(fits, name, "[B, T] and [B, S]", x.shape());
  }

  std::vector<Tensor> tensors_;
  AttentionLayout layout_;
  Problem problem_;
  size_t bias_ = 0;
};

// What a node says of its arguments before it runs.
class Node {
 public:
  explicit Node(const Attributes& attributes) : dtype_(attributes.Type("T")) {
    const std::string text = attributes.String("options");
    Integers integers(text);
    options_ = ReadOptions(integers);
    integers.CheckEnd();
    there_.dtype = dtype_ == TF_BFLOAT16 ? Dtype::kBfloat16 : Dtype::kFloat32;
    there_.mask.there = Count(attributes, "num_masks", 1);
    there_.bias.there = Count(attributes, "num_biases", 1);
    there_.segments = Count(attributes, "num_segments", 2);
    there_.seed = Count(attributes, "num_seeds", 1);
  }

  TF_DataType dtype() const { return dtype_; }
  bool has_bias() const { return there_.bias.there; }
  int num_inputs() const { return static_cast<int>(there_.num_inputs()); }
  Arguments Read(const Run& run) const { return Arguments(run, options_, there_); }

 private:
  static bool Count(const Attributes& attributes, const char* name, int64_t all) {
    const int64_t count = attributes.Int(name);
    if (count == 0 || count == all) return count > 0;
    throw InvalidArgument(std::string(name) + " must be 0 or " + std::to_string(all) + ", got " +
                          std::to_string(count));
  }

  const TF_DataType dtype_;
  Problem options_;
  AttentionLayout there_;
};

void* Data(const Tensor& tensor) { return TF_TensorData(tensor.get()); }

class AttentionKernel {
 public:
  explicit AttentionKernel(const Attributes& attributes) : node_(attributes) {}

  void Compute(const Run& run) const {
    const Arguments arguments = node_.Read(run);
    const Tensor out = run.Output(0, node_.dtype(), arguments.q_shape());
    const Tensor lse = run.Output(1, TF_FLOAT, arguments.lse_shape());
    if (out.size() == 0) return;  // Then nothing bounds the other sizes.
    PoolExecutor executor;
    attention::Forward(arguments.problem(), LikeQueries(arguments.sizes(), Data(out)), lse.data<float>().data(),
                       executor);
  }

 private:
  const Node node_;
};

class AttentionGradKernel {
 public:
  explicit AttentionGradKernel(const Attributes& attributes) : node_(attributes) {}

  void Compute(const Run& run) const {
    const Arguments arguments = node_.Read(run);
    const Sizes& sizes = arguments.sizes();
    const int next = node_.num_inputs();
    const Tensor out = run.Input(next), lse = run.Input(next + 1), dout = run.Input(next + 2);
    CheckShape(out.shape() == arguments.q_shape(), "out", "of q's shape", out.shape());
    CheckShape(lse.shape() == arguments.lse_shape(), "lse", "[B, H, T]", lse.shape());
    CheckShape(dout.shape() == arguments.q_shape(), "dout", "of q's shape", dout.shape());
    const Tensor dq = run.Output(0, node_.dtype(), arguments.q_shape());
    const Tensor dk = run.Output(1, node_.dtype(), arguments.k_shape());
    const Tensor dv = run.Output(2, node_.dtype(), arguments.k_shape());
    attention::Gradients gradients;
    gradients.out = LikeQueries<const void>(sizes, Data(out));
    gradients.dout = LikeQueries<const void>(sizes, Data(dout));
    gradients.lse = lse.data<const float>().data();
    gradients.dq = LikeQueries(sizes, Data(dq));
    gradients.dk = LikeKeys(sizes, Data(dk));
    gradients.dv = LikeKeys(sizes, Data(dv));
    if (!node_.has_bias()) return Compute(arguments, gradients, dk.size());
    const Tensor dbias = run.Output(3, TF_FLOAT, arguments.bias_shape());
    gradients.dbias = WithAxes(sizes, arguments.bias_axes(), dbias.data<float>().data());
    Compute(arguments, gradients, dk.size(), dbias.size());
  }

 private:
  static void Compute(const Arguments& arguments, const attention::Gradients& gradients, size_t dk_size,
                      size_t dbias_size = 0) {
    const Sizes& sizes = arguments.sizes();
    if (sizes.batch > 0 && sizes.queries > 0) {
      PoolExecutor executor;
      return attention::Backward(arguments.problem(), gradients, executor);
    }
    // Nothing bounds the other sizes then, so no loop runs over them.
    const size_t bytes = dk_size * (arguments.problem().dtype == Dtype::kFloat32 ? sizeof(float) : sizeof(uint16_t));
    std::fill_n(static_cast<char*>(gradients.dk.data), bytes, char{0});
    std::fill_n(static_cast<char*>(gradients.dv.data), bytes, char{0});
    std::fill_n(gradients.dbias.data, dbias_size, 0.0f);
  }

  const Node node_;
};

void CheckRanks(const Shapes& shapes) {
  for (int i = 0; i < 3; ++i) shapes.CheckRank(i, 4, 4);
}

void InferAttention(const Shapes& shapes) {
  CheckRanks(shapes);
  shapes.SetOutput(0, 0, 0, {});
  shapes.SetOutputAxes(1, 0, {0, 2, 1});
}

void InferAttentionGrad(const Shapes& shapes) {
  CheckRanks(shapes);
  shapes.SetUnknown();  // A shape function does not see whether there is a bias.
  for (int i = 0; i < 3; ++i) shapes.SetOutput(i, i, 0, {});
}

}  // namespace

void RegisterAttention() {
  Register<AttentionKernel, InferAttention>(
      {"MmcoreAttention",
       {"q: T", "k: T", "v: T", "mask: num_masks * bool", "bias: num_biases * float",
        "segments: num_segments * int32", "seed: num_seeds * int32"},
       {"T: {float, bfloat16}", "options: string", "num_masks: int >= 0", "num_biases: int >= 0",
        "num_segments: int >= 0", "num_seeds: int >= 0"},
       {"out: T", "lse: float"}});
  Register<AttentionGradKernel, InferAttentionGrad>(
      {"MmcoreAttentionGrad",
       {"q: T", "k: T", "v: T", "mask: num_masks * bool", "bias: num_biases * float",
        "segments: num_segments * int32", "seed: num_seeds * int32", "out: T", "lse: float", "dout: T"},
       {"T: {float, bfloat16}", "options: string", "num_masks: int >= 0", "num_biases: int >= 0",
        "num_segments: int >= 0", "num_seeds: int >= 0"},
       {"dq: T", "dk: T", "dv: T", "dbias: num_biases * float"}});
}

}  // namespace mmcore::tf
