// MmcoreSumOfSquares: float32 tensors of any shapes -> float32 [], as an op and as XLA's custom call.
#include "core/norm/sum_of_squares.h"

#include <exception>
#include <limits>
#include <string_view>
#include <vector>

#include "core/base/thread_pool.h"
#include "tf/integers.h"
#include "tf/ops.h"
#include "tf/registration.h"
#include "tf/xla.h"

namespace mmcore::tf {
namespace {

using Arrays = std::vector<Span<const float>>;

class SumOfSquaresKernel {
 public:
  explicit SumOfSquaresKernel(const Attributes& attributes) : count_(static_cast<int>(attributes.Int("N"))) {}

  void Compute(const Run& run) const {
    std::vector<Tensor> tensors;
    Arrays arrays;
    for (int i = 0; i < count_; ++i) {
      tensors.push_back(run.Input(i));
      arrays.push_back(tensors.back().data<const float>());
    }
    PoolExecutor executor;
    run.Output(0, TF_FLOAT, {}).data<float>()[0] = norm::SumOfSquares(arrays, executor);
  }

 private:
  const int count_;
};

void InferSumOfSquares(const Shapes& shapes) { shapes.SetOutputAxes(0, 0, {}); }

}  // namespace

void RegisterSumOfSquares() {
  Register<SumOfSquaresKernel, InferSumOfSquares>({"MmcoreSumOfSquares", {"x: N * float"}, {"N: int >= 1"}, {"y: float"}});
}

// The text: the number of elements of each operand. The result is alone and so not in a list.
void XlaSumOfSquares(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept {
  try {
    Integers integers({config, config_size});
    Arrays arrays;
    while (integers.more()) {
      const auto size = static_cast<size_t>(integers.Next(0, std::numeric_limits<int64_t>::max()));
      arrays.emplace_back(static_cast<const float*>(in[arrays.size()]), size);
    }
    PoolExecutor executor;
    *reinterpret_cast<float*>(out) = norm::SumOfSquares(arrays, executor);
  } catch (const std::exception& error) {
    SetXlaFailure(status, error.what());
  } catch (...) {
    SetXlaFailure(status, "an exception of unknown type");
  }
}

}  // namespace mmcore::tf
