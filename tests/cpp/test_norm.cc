// Forward and Backward against the definition, for each instruction set. Under the sanitizers this also proves that no
// kernel reads or writes outside the caller's memory: every tensor lies in an allocation of exactly its size.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <random>
#include <vector>

#include "check.h"
#include "core/base/bfloat16.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/norm/norm.h"
#include "core/norm/sum_of_squares.h"

namespace {

using mmcore::Dtype;
using mmcore::Executor;
using mmcore::InlineExecutor;
using mmcore::InvalidArgument;
using mmcore::Isa;
using mmcore::PoolExecutor;
using namespace mmcore::norm;

// Elements of a dtype in memory of exactly their size.
class Array {
 public:
  Array(Dtype dtype, size_t size) : dtype_(dtype), size_(size), bytes_(new std::byte[size * mmcore::SizeOf(dtype)]) {}
  void* data() const { return bytes_.get(); }
  const float* floats() const { return reinterpret_cast<const float*>(bytes_.get()); }
  float* floats() { return reinterpret_cast<float*>(bytes_.get()); }

  void Fill(std::minstd_rand& engine, float offset) {
    std::normal_distribution<float> normal(offset);
    for (size_t i = 0; i < size_; ++i) {
      const float value = normal(engine);
      const uint16_t half = mmcore::ToBfloat16(value);
      const size_t each = mmcore::SizeOf(dtype_);
      std::memcpy(bytes_.get() + i * each, dtype_ == Dtype::kFloat32 ? static_cast<const void*>(&value) : &half, each);
    }
  }

  double At(size_t i) const {
    if (dtype_ == Dtype::kFloat32) return floats()[i];
    uint16_t half;
    std::memcpy(&half, bytes_.get() + i * sizeof(half), sizeof(half));
    return mmcore::FromBfloat16(half);
  }

  bool Near(const Array& other, double tolerance) const {
    for (size_t i = 0; i < size_; ++i) {
      if (!(std::fabs(At(i) - other.At(i)) <= tolerance * (1 + std::fabs(other.At(i))))) return false;
    }
    return true;
  }
  bool Same(const Array& other) const {
    return size_ == other.size_ && std::memcmp(data(), other.data(), size_ * mmcore::SizeOf(dtype_)) == 0;
  }

 private:
  Dtype dtype_;
  size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

struct Case {
  Case(Dtype dtype, size_t rows, size_t width, bool centred, bool has_bias, uint32_t seed)
      : x(dtype, rows * width), dy(dtype, rows * width), scale(Dtype::kFloat32, width), bias(Dtype::kFloat32, width) {
    std::minstd_rand engine(seed + 1);
    x.Fill(engine, 0.5f);
    dy.Fill(engine, 0.0f);
    scale.Fill(engine, 1.0f);
    bias.Fill(engine, 0.0f);
    problem.dtype = dtype;
    problem.rows = rows;
    problem.width = width;
    problem.epsilon = 1e-3f;
    problem.centred = centred;
    problem.x = x.data();
    problem.scale = scale.floats();
    if (has_bias) problem.bias = bias.floats();
  }
  Array x, dy, scale, bias;
  Problem problem;
};

struct Results {
  explicit Results(const Problem& problem)
      : y(problem.dtype, problem.rows * problem.width),
        dx(problem.dtype, problem.rows * problem.width),
        dscale(Dtype::kFloat32, problem.width),
        dbias(Dtype::kFloat32, problem.width) {}
  Gradients Of(const Case& given) {
    return {given.dy.data(), dx.data(), dscale.floats(), given.problem.bias == nullptr ? nullptr : dbias.floats()};
  }
  bool Near(const Results& other, bool has_bias, double rows, double columns) const {
    return y.Near(other.y, rows) && dx.Near(other.dx, rows) && dscale.Near(other.dscale, columns) &&
           (!has_bias || dbias.Near(other.dbias, columns));
  }
  bool Same(const Results& other, bool has_bias) const {
    return y.Same(other.y) && dx.Same(other.dx) && dscale.Same(other.dscale) && (!has_bias || dbias.Same(other.dbias));
  }
  Array y, dx, dscale, dbias;
};

Results Fast(const Case& given, Executor& executor, Isa isa) {
  Results results(given.problem);
  Forward(given.problem, results.y.data(), executor, isa);
  Backward(given.problem, results.Of(given), executor, isa);
  return results;
}

void TestAgainstTheDefinition() {
  InlineExecutor executor;
  uint32_t seed = 0;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > mmcore::DetectedIsa()) continue;
    for (const size_t width : std::initializer_list<size_t>{1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 127, 131, 300}) {
      for (const size_t rows : std::initializer_list<size_t>{0, 1, 2, 33, 70}) {
        const bool centred = seed % 3 != 0, has_bias = seed % 2 != 0;
        const Dtype dtype = seed % 5 == 0 ? Dtype::kBfloat16 : Dtype::kFloat32;
        const Case given(dtype, rows, width, centred, has_bias, seed++);
        Results expected(given.problem);
        ReferenceForward(given.problem, expected.y.data());
        ReferenceBackward(given.problem, expected.Of(given));
        // A float close to the middle of two bfloat16 may be rounded either way.
        const double tolerance = dtype == Dtype::kFloat32 ? 4e-5 : 8e-3;
        CHECK(Fast(given, executor, isa).Near(expected, has_bias, tolerance, 4e-5));
      }
    }
  }
}

void TestThreadsGiveTheSameBits() {
  for (const size_t width : std::initializer_list<size_t>{5, 300, 5000}) {
    const Case given(Dtype::kFloat32, 200'000 / width, width, true, true, 1);
    InlineExecutor one;
    PoolExecutor many;
    CHECK(Fast(given, one, mmcore::DetectedIsa()).Same(Fast(given, many, mmcore::DetectedIsa()), true));
  }
}

void TestSumsOfSquares() {
  PoolExecutor executor;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > mmcore::DetectedIsa()) continue;
    for (const size_t size : std::initializer_list<size_t>{0, 1, 15, 16, 17, 65, 40'000, 700'001}) {
      std::minstd_rand engine(1);
      Array first(Dtype::kFloat32, size), second(Dtype::kFloat32, 3);
      first.Fill(engine, 1.0f);
      second.Fill(engine, 1.0f);
      double expected = 0;
      for (size_t i = 0; i < size; ++i) expected += first.At(i) * first.At(i);
      for (size_t i = 0; i < 3; ++i) expected += second.At(i) * second.At(i);
      const std::vector<mmcore::Span<const float>> arrays = {{first.floats(), size}, {second.floats(), 3}};
      CHECK(std::fabs(SumOfSquares(arrays, executor, isa) - expected) <= 1e-6 * expected);
    }
  }
}

void TestWhatIsRefused() {
  InlineExecutor executor;
  Case given(Dtype::kFloat32, 2, 3, true, true, 1);
  Results results(given.problem);
  given.problem.epsilon = -1;
  CHECK_THROWS(Forward(given.problem, results.y.data(), executor), InvalidArgument);
  given.problem.epsilon = std::nanf("");
  CHECK_THROWS(Backward(given.problem, results.Of(given), executor), InvalidArgument);
  given.problem.epsilon = 0;
  given.problem.width = 0;
  CHECK_THROWS(Forward(given.problem, results.y.data(), executor), InvalidArgument);
}

}  // namespace

int main() {
  mmcore::SetNumThreads(4);
  TestAgainstTheDefinition();
  TestThreadsGiveTheSameBits();
  TestSumsOfSquares();
  TestWhatIsRefused();
  return mmcore::testing::Report("test_norm");
}
