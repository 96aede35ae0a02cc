// Attention as XLA's custom calls, over the same arguments as the ops of attention.cc.
#include <exception>
#include <string_view>

#include "core/attention/attention.h"
#include "core/base/thread_pool.h"
#include "tf/attention_problem.h"
#include "tf/xla.h"

namespace mmcore::tf {
namespace {

using attention::Problem;

// Calls body(problem, layout, buffers after the problem's); an exception becomes the call's failure.
template <typename Body>
void Handle(const void** in, std::string_view config, void* status, Body body) noexcept {
  try {
    Integers integers(config);
    Problem problem = ReadOptions(integers);
    const AttentionLayout layout = ReadLayout(integers);
    integers.CheckEnd();
    SetInputs(layout, in, problem);
    body(problem, layout, in + layout.num_inputs());
  } catch (const std::exception& error) {
    SetXlaFailure(status, error.what());
  } catch (...) {
    SetXlaFailure(status, "an exception of unknown type");
  }
}

}  // namespace

// Results: out, lse.
void XlaAttention(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept {
  Handle(in, {config, config_size}, status, [&](const Problem& problem, const AttentionLayout&, const void**) {
    PoolExecutor executor;
    attention::Forward(problem, LikeQueries(problem.sizes, out[0]), static_cast<float*>(out[1]), executor);
  });
}

// After the problem's inputs: out, lse, dout. Results: dq, dk, dv, and dbias where there is a bias.
void XlaAttentionGrad(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept {
  Handle(in, {config, config_size}, status,
         [&](const Problem& problem, const AttentionLayout& layout, const void** rest) {
           const attention::Sizes& sizes = problem.sizes;
           attention::Gradients gradients;
           gradients.out = LikeQueries(sizes, rest[0]);
           gradients.lse = static_cast<const float*>(rest[1]);
           gradients.dout = LikeQueries(sizes, rest[2]);
           gradients.dq = LikeQueries(sizes, out[0]);
           gradients.dk = LikeKeys(sizes, out[1]);
           gradients.dv = LikeKeys(sizes, out[2]);
           if (layout.bias.there) gradients.dbias = WithAxes(sizes, layout.bias, static_cast<float*>(out[3]));
           PoolExecutor executor;
           attention::Backward(problem, gradients, executor);
         });
}

}  // namespace mmcore::tf
