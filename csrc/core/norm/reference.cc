#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/bfloat16.h"
#include "core/norm/norm.h"

namespace mmcore::norm {
namespace {

double Read(Dtype dtype, const void* data, size_t i) {
  return dtype == Dtype::kFloat32 ? static_cast<const float*>(data)[i]
                                  : FromBfloat16(static_cast<const uint16_t*>(data)[i]);
}

void Write(Dtype dtype, void* data, size_t i, double value) {
  const float rounded = static_cast<float>(value);
  if (dtype == Dtype::kFloat32) {
    static_cast<float*>(data)[i] = rounded;
  } else {
    static_cast<uint16_t*>(data)[i] = ToBfloat16(rounded);
  }
}

// A row without its mean, divided by its deviation; and 1 / deviation.
struct Row {
  std::vector<double> unit;
  double factor = 0;
};

Row Normalized(const Problem& problem, size_t row) {
  const size_t width = problem.width, begin = row * width;
  const double count = static_cast<double>(width);
  double mean = 0, square = 0;
  if (problem.centred) {
    for (size_t i = 0; i < width; ++i) mean += Read(problem.dtype, problem.x, begin + i) / count;
  }
  Row result;
  for (size_t i = 0; i < width; ++i) {
    result.unit.push_back(Read(problem.dtype, problem.x, begin + i) - mean);
    square += result.unit[i] * result.unit[i] / count;
  }
  result.factor = 1 / std::sqrt(square + problem.epsilon);
  for (double& x : result.unit) x *= result.factor;
  return result;
}

}  // namespace

void ReferenceForward(const Problem& problem, void* y) {
  for (size_t row = 0; row < problem.rows; ++row) {
    const Row x = Normalized(problem, row);
    for (size_t i = 0; i < problem.width; ++i) {
      const double bias = problem.bias == nullptr ? 0 : problem.bias[i];
      Write(problem.dtype, y, row * problem.width + i, x.unit[i] * problem.scale[i] + bias);
    }
  }
}

void ReferenceBackward(const Problem& problem, const Gradients& gradients) {
  const size_t width = problem.width;
  std::vector<double> dscale(width), dbias(width);
  for (size_t row = 0; row < problem.rows; ++row) {
    const Row x = Normalized(problem, row);
    const auto dy = [&](size_t i) { return Read(problem.dtype, gradients.dy, row * width + i); };
    double mean = 0, along = 0;  // Of the gradient of the unit row: its mean, and the mean of its products with it.
    for (size_t i = 0; i < width; ++i) {
      dscale[i] += dy(i) * x.unit[i];
      dbias[i] += dy(i);
      mean += dy(i) * problem.scale[i] / static_cast<double>(width);
      along += dy(i) * problem.scale[i] * x.unit[i] / static_cast<double>(width);
    }
    if (!problem.centred) mean = 0;
    for (size_t i = 0; i < width; ++i) {
      const double change = dy(i) * problem.scale[i] - mean - x.unit[i] * along;
      Write(problem.dtype, gradients.dx, row * width + i, x.factor * change);
    }
  }
  for (size_t i = 0; i < width; ++i) gradients.dscale[i] = static_cast<float>(dscale[i]);
  for (size_t i = 0; gradients.dbias != nullptr && i < width; ++i) gradients.dbias[i] = static_cast<float>(dbias[i]);
}

}  // namespace mmcore::norm
