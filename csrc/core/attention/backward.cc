// Backward, by units of one head of keys and a part of its keys. From the logarithms of sums that forward left the
// probabilities P of some queries are made again, and with dP = dO V^T and D = rowsum(P dP) = rowsum(dO O):
//   dV += P^T dO,  dS = P (dP - D),  dK += dS^T (scale Q),  dQ += scale dS K.
// Nothing is added by two units, so the sums are the same for any number of threads: what each part of the keys gives
// of dQ is kept apart and added afterwards.
#include <algorithm>
#include <vector>

#include "core/attention/attention.h"
#include "core/attention/check.h"
#include "core/attention/gradient_rows.h"

namespace mmcore::attention {
namespace {

// Parts of keys: few, since each copies and re-reads all queries, but enough units for many threads.
constexpr size_t kPartKeys = 512, kFewUnits = 16, kMostKeys = 1024;

size_t NumParts(const Sizes& sizes) {
  const size_t units = std::max<size_t>(1, sizes.batch * sizes.kv_heads);
  const size_t for_memory = (sizes.keys + kMostKeys - 1) / kMostKeys;
  const size_t for_threads = std::min((kFewUnits + units - 1) / units, (sizes.keys + kPartKeys - 1) / kPartKeys);
  return std::max<size_t>({1, for_memory, for_threads});
}

struct Sums {
  Buffer<float> keys, values;  // Of dK and dV.
};

Sums& OwnSums() {
  thread_local Sums sums;
  return sums;
}

void StoreScaled(const Problem& problem, const Kernels& kernels, const float* from, float factor, const Output& to,
                 size_t b, size_t head, Range rows) {
  const std::vector<float> factors(rows.size(), factor);
  StoreRows(problem, kernels, from, factors.data(), to, b, head, rows);
}

// dK and dV of some keys of one head, and what these keys give of dQ.
class Unit {
 public:
  Unit(const Problem& problem, const Gradients& gradients, const Kernels& kernels, size_t b, size_t kv_head, Range keys)
      : problem_(problem),
        gradients_(gradients),
        kernels_(kernels),
        rows_(problem, gradients, kernels, b, kv_head, keys),
        sums_(OwnSums()),
        b_(b),
        kv_head_(kv_head),
        keys_(keys) {}

  // What these keys give of dQ goes to `dq`, [batch, heads, queries, width] and not scaled; null: they are all keys,
  // and it goes where Gradients says.
  void Run(float* dq) {
    const size_t width = rows_.width(), size = keys_.size() * width;
    for (Buffer<float>* sums : {&sums_.keys, &sums_.values}) {
      sums->Reserve(size);
      std::fill(sums->data(), sums->data() + size, 0.0f);
    }
    const size_t group = problem_.sizes.heads / problem_.sizes.kv_heads;
    for (size_t head = kv_head_ * group; head < (kv_head_ + 1) * group; ++head) RunHead(head, dq);
    StoreScaled(problem_, kernels_, sums_.keys.data(), 1.0f, gradients_.dk, b_, kv_head_, keys_);
    StoreScaled(problem_, kernels_, sums_.values.data(), 1.0f, gradients_.dv, b_, kv_head_, keys_);
  }

 private:
  void RunHead(size_t head, float* dq) {
    const size_t total = problem_.sizes.queries, part = EvenPart(total, kGradientRows, kernels_.rows);
    for (size_t begin = 0; begin < total; begin += part) {
      const Range queries{begin, std::min(total, begin + part)};
      const bool seen = rows_.Compute(head, queries);
      if (seen) AddKeyProducts();
      StoreQueries(head, queries, seen ? rows_.QueryGradients() : nullptr, dq);
    }
  }

  void StoreQueries(size_t head, Range queries, const float* gradients, float* dq) {
    const size_t width = rows_.width(), size = queries.size() * width;
    const std::vector<float> zeros(gradients == nullptr ? size : 0);
    const float* const from = gradients == nullptr ? zeros.data() : gradients;
    if (dq == nullptr) return StoreScaled(problem_, kernels_, from, problem_.scale, gradients_.dq, b_, head, queries);
    const Sizes& sizes = problem_.sizes;
    std::copy(from, from + size, dq + ((b_ * sizes.heads + head) * sizes.queries + queries.begin) * width);
  }

  void AddKeyProducts() {
    const size_t at = (rows_.block().keys.begin - keys_.begin) * rows_.width();
    AddKeyProduct(rows_.dropped(), rows_.output_gradients(), sums_.values.data() + at);
    AddKeyProduct(rows_.score_gradients(), rows_.queries(), sums_.keys.data() + at);
  }

  // c[key] += sum over rows of scores[row, key] b[row].
  void AddKeyProduct(const float* scores, const float* b, float* c) {
    Product product;
    product.a = scores;
    product.a_row = 1;
    product.a_depth = rows_.stride();
    product.b = b;
    product.b_panel = kernels_.panel;
    product.b_depth = product.c_row = product.columns = rows_.width();
    product.c = c;
    product.rows = rows_.block().keys.size();
    product.depth = rows_.block().queries.size();
    product.add = true;
    kernels_.product(product);
  }

  const Problem& problem_;
  const Gradients& gradients_;
  const Kernels& kernels_;
  GradientRows rows_;
  Sums& sums_;
  const size_t b_, kv_head_;
  const Range keys_;
};

// dQ of one head: the sum of what each part of the keys gave, in order, times scale.
void AddParts(const Problem& problem, const Kernels& kernels, const Output& dq, size_t item, size_t num_parts,
              size_t part_size, size_t width, float* sums) {
  const Sizes& sizes = problem.sizes;
  const size_t size = sizes.queries * width;
  float* const first = sums + item * size;
  for (size_t part = 1; part < num_parts; ++part) kernels.add(first, first + part * part_size, size);
  StoreScaled(problem, kernels, first, problem.scale, dq, item / sizes.heads, item % sizes.heads, {0, sizes.queries});
}

void InputGradients(const Problem& problem, const Gradients& gradients, const Kernels& kernels, Executor& executor) {
  const Sizes& sizes = problem.sizes;
  const size_t parts = NumParts(sizes), units = sizes.batch * sizes.kv_heads;
  const size_t width = RoundUp(sizes.head_dim, kernels.lanes);
  const size_t heads = sizes.batch * sizes.heads, part_size = heads * sizes.queries * width;
  Buffer<float> dq(parts == 1 ? 0 : parts * part_size);
  executor.ParallelFor(units * parts, [&](size_t item) {
    const size_t unit = item / parts, part = item % parts;
    const Range keys{sizes.keys * part / parts, sizes.keys * (part + 1) / parts};
    Unit(problem, gradients, kernels, unit / sizes.kv_heads, unit % sizes.kv_heads, keys)
        .Run(parts == 1 ? nullptr : dq.data() + part * part_size);
  });
  if (parts == 1) return;
  executor.ParallelFor(heads, [&](size_t item) {
    AddParts(problem, kernels, gradients.dq, item, parts, part_size, width, dq.data());
  });
}

}  // namespace

void Backward(const Problem& problem, const Gradients& gradients, Executor& executor, Isa isa) {
  CheckBackward(problem, gradients);
  const Kernels& kernels = KernelsFor(isa);
  if (gradients.dq.data != nullptr) InputGradients(problem, gradients, kernels, executor);
  if (gradients.dbias.data != nullptr) BiasGradients(problem, gradients, kernels, executor);
}

}  // namespace mmcore::attention
