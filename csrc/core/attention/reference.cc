// Attention as its definition says it, one query at a time, every sum in double.
#include <cmath>
#include <limits>
#include <vector>

#include "core/attention/attention.h"
#include "core/base/bfloat16.h"
#include "core/attention/check.h"
#include "core/attention/dropout.h"

namespace mmcore::attention {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A query of a head, and the head that its keys and values have.
struct Place {
  size_t b, t, h, g;
};

double Load(const Input& x, Dtype dtype, size_t b, size_t row, size_t head, size_t d) {
  const size_t at = b * x.batch + row * x.row + head * x.head + d;
  if (dtype == Dtype::kFloat32) return double{static_cast<const float*>(x.data)[at]};
  return double{FromBfloat16(static_cast<const uint16_t*>(x.data)[at])};
}

void Store(const Output& x, Dtype dtype, size_t b, size_t row, size_t head, size_t d, double value) {
  const size_t at = b * x.batch + row * x.row + head * x.head + d;
  const auto single = static_cast<float>(value);
  if (dtype == Dtype::kFloat32) {
    static_cast<float*>(x.data)[at] = single;
  } else {
    static_cast<uint16_t*>(x.data)[at] = ToBfloat16(single);
  }
}

bool Sees(const Problem& p, const Place& at, size_t s) {
  const auto position = static_cast<double>(p.sizes.keys) - static_cast<double>(p.sizes.queries) +
                        static_cast<double>(at.t);
  const double behind = position - static_cast<double>(s);
  if (p.causal && behind < 0) return false;
  if (p.window > 0 && std::abs(behind) >= static_cast<double>(p.window)) return false;
  if (p.query_segments != nullptr &&
      p.query_segments[at.b * p.sizes.queries + at.t] != p.key_segments[at.b * p.sizes.keys + s]) {
    return false;
  }
  const auto& mask = p.mask;
  return mask.data == nullptr || mask.data[at.b * mask.batch + at.h * mask.head + at.t * mask.query + s];
}

// scale q . k, under the cap.
double CappedProduct(const Problem& p, const Place& at, size_t s) {
  double sum = 0;
  for (size_t d = 0; d < p.sizes.head_dim; ++d) {
    sum += Load(p.q, p.dtype, at.b, at.t, at.h, d) * Load(p.k, p.dtype, at.b, s, at.g, d);
  }
  const double score = sum * double{p.scale};
  return p.soft_cap > 0 ? double{p.soft_cap} * std::tanh(score / double{p.soft_cap}) : score;
}

// -infinity where the key is not seen. A bias of -infinity hides a key, too.
double Score(const Problem& p, const Place& at, size_t s) {
  if (!Sees(p, at, s)) return -kInfinity;
  const auto& bias = p.bias;
  const float added =
      bias.data == nullptr ? 0.0f : bias.data[at.b * bias.batch + at.h * bias.head + at.t * bias.query + s];
  return CappedProduct(p, at, s) + double{added};
}

// What P is multiplied by.
double Kept(const Problem& p, const Place& at, size_t s) {
  if (p.dropout_rate == 0) return 1;
  const size_t row = (at.b * p.sizes.heads + at.h) * p.sizes.queries + at.t;
  const bool keeps = DropoutKeeps(p.seed, p.dropout_rate, static_cast<uint32_t>(row * p.sizes.keys + s));
  return keeps ? 1 / (1 - double{p.dropout_rate}) : 0;
}

// The logarithm of the sum of exponentials of `scores`; +infinity where all are -infinity, so that exp(score - it) is
// 0 there. NaN where a score is NaN or +infinity.
double LogSumExp(const std::vector<double>& scores) {
  double most = -kInfinity;
  for (const double score : scores) {
    if (score != score || score == kInfinity) return std::numeric_limits<double>::quiet_NaN();
    most = std::fmax(most, score);
  }
  if (most == -kInfinity) return kInfinity;
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - most);
  return most + std::log(sum);
}

template <typename Body>
void ForEachQuery(const Sizes& sizes, Body body) {
  if (sizes.queries == 0) return;  // Then nothing bounds the number of heads.
  for (size_t b = 0; b < sizes.batch; ++b) {
    for (size_t h = 0; h < sizes.heads; ++h) {
      for (size_t t = 0; t < sizes.queries; ++t) body(Place{b, t, h, h / (sizes.heads / sizes.kv_heads)});
    }
  }
}

size_t LseIndex(const Problem& p, const Place& at) {
  return (at.b * p.sizes.heads + at.h) * p.sizes.queries + at.t;
}

void ForwardQuery(const Problem& p, const Place& at, const Output& out, float* lse) {
  std::vector<double> scores(p.sizes.keys), sums(p.sizes.head_dim);
  for (size_t s = 0; s < scores.size(); ++s) scores[s] = Score(p, at, s);
  const double log_sum = LogSumExp(scores);
  for (size_t s = 0; s < scores.size(); ++s) {
    if (scores[s] == -kInfinity) continue;
    const double weight = std::exp(scores[s] - log_sum) * Kept(p, at, s);
    for (size_t d = 0; d < sums.size(); ++d) sums[d] += weight * Load(p.v, p.dtype, at.b, s, at.g, d);
  }
  for (size_t d = 0; d < sums.size(); ++d) Store(out, p.dtype, at.b, at.t, at.h, d, sums[d]);
  if (lse != nullptr) lse[LseIndex(p, at)] = static_cast<float>(log_sum);
}

// The gradient of an axis [batch, rows, heads, head_dim] while it is summed.
struct Sums {
  Sums(size_t batch, size_t rows, size_t heads, size_t head_dim)
      : shape{batch, rows, heads, head_dim}, values(batch * rows * heads * head_dim) {}
  double& at(size_t b, size_t row, size_t head, size_t d) {
    return values[((b * shape.rows + row) * shape.heads + head) * shape.head_dim + d];
  }
  void StoreTo(const Output& out, Dtype dtype) {
    for (size_t b = 0; b < shape.batch; ++b) {
      for (size_t row = 0; row < shape.rows; ++row) {
        for (size_t head = 0; head < shape.heads; ++head) {
          for (size_t d = 0; d < shape.head_dim; ++d) Store(out, dtype, b, row, head, d, at(b, row, head, d));
        }
      }
    }
  }
  struct {
    size_t batch, rows, heads, head_dim;
  } shape;
  std::vector<double> values;
};

// The gradient of the bias while it is summed: axes that the bias broadcasts have one entry.
class BiasSums {
 public:
  BiasSums(const Sizes& sizes, const Broadcast<float>& out)
      : out_(out),
        batch_(out.batch == 0 ? 1 : sizes.batch),
        heads_(out.head == 0 ? 1 : sizes.heads),
        queries_(out.query == 0 ? 1 : sizes.queries),
        keys_(sizes.keys),
        values_(out.data == nullptr ? 0 : batch_ * heads_ * queries_ * keys_) {}

  void Add(const Place& at, size_t s, double value) {
    if (!values_.empty()) values_[Row(at.b % batch_, at.h % heads_, at.t % queries_) * keys_ + s] += value;
  }
  void Store() const {
    if (values_.empty()) return;
    for (size_t b = 0; b < batch_; ++b) {
      for (size_t h = 0; h < heads_; ++h) {
        for (size_t t = 0; t < queries_; ++t) {
          float* row = out_.data + b * out_.batch + h * out_.head + t * out_.query;
          for (size_t s = 0; s < keys_; ++s) row[s] = static_cast<float>(values_[Row(b, h, t) * keys_ + s]);
        }
      }
    }
  }

 private:
  size_t Row(size_t b, size_t h, size_t t) const { return (b * heads_ + h) * queries_ + t; }

  const Broadcast<float> out_;
  const size_t batch_, heads_, queries_, keys_;
  std::vector<double> values_;
};

struct AllSums {
  Sums dq, dk, dv;
  BiasSums dbias;
};

// dout . v for one key, and its share of dv.
double ThroughValue(const Problem& p, const Gradients& g, const Place& at, size_t s, double weight, Sums& dv) {
  double product = 0;
  for (size_t d = 0; d < p.sizes.head_dim; ++d) {
    const double dout = Load(g.dout, p.dtype, at.b, at.t, at.h, d);
    product += dout * Load(p.v, p.dtype, at.b, s, at.g, d);
    dv.at(at.b, s, at.g, d) += weight * dout;
  }
  return product;
}

void BackwardQuery(const Problem& p, const Gradients& g, const Place& at, AllSums& sums) {
  const double log_sum = double{g.lse[LseIndex(p, at)]};
  double mean = 0;  // dout . out, which is the mean of the gradients of P under P.
  for (size_t d = 0; d < p.sizes.head_dim; ++d) {
    mean += Load(g.dout, p.dtype, at.b, at.t, at.h, d) * Load(g.out, p.dtype, at.b, at.t, at.h, d);
  }
  for (size_t s = 0; s < p.sizes.keys; ++s) {
    const double score = Score(p, at, s);
    if (score == -kInfinity) continue;
    const double probability = std::exp(score - log_sum), kept = Kept(p, at, s);
    const double dp = kept * ThroughValue(p, g, at, s, probability * kept, sums.dv);
    double dscore = probability * (dp - mean);
    sums.dbias.Add(at, s, dscore);
    if (p.soft_cap > 0) {
      const double slope = CappedProduct(p, at, s) / double{p.soft_cap};  // tanh
      dscore *= 1 - slope * slope;
    }
    dscore *= double{p.scale};
    for (size_t d = 0; d < p.sizes.head_dim; ++d) {
      sums.dq.at(at.b, at.t, at.h, d) += dscore * Load(p.k, p.dtype, at.b, s, at.g, d);
      sums.dk.at(at.b, s, at.g, d) += dscore * Load(p.q, p.dtype, at.b, at.t, at.h, d);
    }
  }
}

}  // namespace

void ReferenceForward(const Problem& problem, const Output& out, float* lse) {
  CheckForward(problem, out);
  ForEachQuery(problem.sizes, [&](const Place& at) { ForwardQuery(problem, at, out, lse); });
}

void ReferenceBackward(const Problem& problem, const Gradients& gradients) {
  CheckBackward(problem, gradients);
  const auto [batch, queries, keys, heads, kv_heads, head_dim] = problem.sizes;
  AllSums sums = {Sums(batch, queries, heads, head_dim), Sums(batch, keys, kv_heads, head_dim),
                  Sums(batch, keys, kv_heads, head_dim), BiasSums(problem.sizes, gradients.dbias)};
  ForEachQuery(problem.sizes, [&](const Place& at) { BackwardQuery(problem, gradients, at, sums); });
  sums.dbias.Store();
  if (gradients.dq.data != nullptr) sums.dq.StoreTo(gradients.dq, problem.dtype);
  if (gradients.dk.data != nullptr) sums.dk.StoreTo(gradients.dk, problem.dtype);
  if (gradients.dv.data != nullptr) sums.dv.StoreTo(gradients.dv, problem.dtype);
}

}  // namespace mmcore::attention
