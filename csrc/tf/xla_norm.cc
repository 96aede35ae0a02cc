// Norms as XLA's custom calls, over the same arguments as the ops of norm.cc.
#include <exception>
#include <limits>
#include <string_view>

#include "core/base/thread_pool.h"
#include "core/norm/norm.h"
#include "tf/norm_problem.h"
#include "tf/xla.h"

namespace mmcore::tf {
namespace {

// Calls body(problem without buffers, whether there is a bias); an exception becomes the call's failure. The text:
// options, dtype (0: float32, 1: bfloat16), rows, width, bias.
template <typename Body>
void HandleNorm(std::string_view config, void* status, Body body) noexcept {
  try {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    Integers integers(config);
    norm::Problem problem = ReadNormOptions(integers);
    problem.dtype = integers.Flag() ? Dtype::kBfloat16 : Dtype::kFloat32;
    problem.rows = static_cast<size_t>(integers.Next(0, kMost));
    problem.width = static_cast<size_t>(integers.Next(1, kMost));
    const bool bias = integers.Flag();
    integers.CheckEnd();
    body(problem, bias);
  } catch (const std::exception& error) {
    SetXlaFailure(status, error.what());
  } catch (...) {
    SetXlaFailure(status, "an exception of unknown type");
  }
}

}  // namespace

// x, scale and, where there is one, bias. Result: y, alone and so not in a list.
void XlaNorm(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept {
  HandleNorm({config, config_size}, status, [&](norm::Problem& problem, bool bias) {
    problem.x = in[0];
    problem.scale = static_cast<const float*>(in[1]);
    if (bias) problem.bias = static_cast<const float*>(in[2]);
    PoolExecutor executor;
    norm::Forward(problem, static_cast<void*>(out), executor);
  });
}

// x, scale, dy. Results: dx, dscale and, where there is a bias, dbias.
void XlaNormGrad(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept {
  HandleNorm({config, config_size}, status, [&](norm::Problem& problem, bool bias) {
    problem.x = in[0];
    problem.scale = static_cast<const float*>(in[1]);
    norm::Gradients gradients;
    gradients.dy = in[2];
    gradients.dx = out[0];
    gradients.dscale = static_cast<float*>(out[1]);
    if (bias) gradients.dbias = static_cast<float*>(out[2]);
    PoolExecutor executor;
    norm::Backward(problem, gradients, executor);
  });
}

}  // namespace mmcore::tf
