// Forward, by units of some queries. A unit goes through the keys block by block: their transpose and
// their values are copied side by side, then for some rows at a time the scores are multiplied out, made
// probabilities in place, and multiplied by the values. What earlier blocks gave is scaled to the new maximum.
// Float32 queries are multiplied where they lie. So is the result written where it belongs, with one block of keys
// and whole vectors of a head. Tried and dropped: values where they lie (0.9 times as fast), results of several blocks
// where they belong (0.96); scores that are not looked through for their maximum, as could be where norms bound them
// (1.02 to 1.04, not worth a second way).
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/attention/attention.h"
#include "core/attention/check.h"
#include "core/attention/scores.h"
#include "core/base/buffer.h"

namespace mmcore::attention {
namespace {

// Scores of at most so many rows and keys at once. On a Xeon with 2 MB of second cache anything from 12 x 256 to
// 192 x 512 was within 4 %; fetching the next block's or head's rows ahead, at once or some between the tiles of each
// product, changed nothing either.
constexpr size_t kRows = 96, kBlockKeys = 512;
// A unit copies the keys, which pays where it has many rows (1056 against 512: 1.025 times as fast at 1024 queries).
constexpr size_t kUnitRows = 1056;
// Queries that see different keys are taken in smaller parts, which fewer scores are computed for in vain: against 96,
// causal is 1.03 and a window of 128 1.1 times as fast.
constexpr size_t kFewRows = 24;

bool RowsDiffer(const Problem& problem) {
  return problem.causal || problem.window != 0 || problem.query_segments != nullptr;
}

struct Scratch {
  Buffer<float> keys, values, queries, scores, mixed;  // mixed: sums of values times probabilities.
  Buffer<float> max, sum, factors, logs;                // Of each row.
};

// Kept by each thread: some hundred kilobytes, which allocating anew for each unit would map and clear again.
Scratch& OwnScratch() {
  thread_local Scratch scratch;
  return scratch;
}

// The kernels of pairs, where the heads can be cut into pairs.
const PairKernels* PairsFor(const Problem& problem, const Kernels& kernels) {
  const bool even = problem.sizes.head_dim % 2 == 0;
  return problem.dtype == Dtype::kBfloat16 && even ? kernels.pairs : nullptr;
}

// Some queries of some heads that share their keys.
class Unit {
 public:
  Unit(const Problem& problem, const Kernels& kernels, size_t b, Range heads, Range rows)
      : problem_(problem),
        kernels_(kernels),
        scratch_(OwnScratch()),
        b_(b),
        heads_(heads),
        rows_(rows),
        width_(RoundUp(problem.sizes.head_dim, kernels.lanes)),
        pairs_(PairsFor(problem, kernels)),
        depth_(pairs_ == nullptr ? problem.sizes.head_dim : problem.sizes.head_dim / 2) {}

  void Run(const Output& out, float* lse) {
    const Range seen = VisibleKeys(problem_, b_, rows_);
    // Blocks and what is left out of them begin at the same keys for any cut into units, and so do sums: threads change
    // no bit.
    const size_t part = EvenPart(problem_.sizes.keys, kBlockKeys, kernels_.panel);
    const size_t start = seen.begin / part * part;
    const bool whole = InPlace() && width_ == problem_.sizes.head_dim;
    if (whole && !seen.empty() && seen.end <= start + part) result_ = &out;
    LoadQueries();
    StartRows();
    for (size_t begin = start; begin < seen.end; begin += part) {
      RunKeys({std::max(begin, seen.begin / kernels_.panel * kernels_.panel), std::min(seen.end, begin + part)});
    }
    Finish(out, lse);
  }

 private:
  // The first of a head's rows in what is kept of each row.
  size_t FirstRow(size_t head) const { return (head - heads_.begin) * rows_.size(); }
  size_t NumRows() const { return heads_.size() * rows_.size(); }

  // Pairs are scaled by way of the queries, and by a power of two alone, which does not round them.
  float ScaleOfPairs() const {
    int exponent;
    return std::frexp(problem_.scale, &exponent) == 0.5f ? problem_.scale : 1.0f;
  }

  // Whether queries are multiplied where they lie.
  bool InPlace() const { return problem_.dtype == Dtype::kFloat32; }

  void LoadQueries() {
    if (InPlace()) return;
    scratch_.queries.Reserve(NumRows() * width_);
    for (size_t head = heads_.begin; head < heads_.end; ++head) {
      float* const to = scratch_.queries.data() + FirstRow(head) * width_;
      RowCopy copy = RowsOf(problem_, problem_.q, b_, head, rows_, width_);
      if (pairs_ != nullptr) copy.scale = ScaleOfPairs();
      kernels_.copy_rows(copy, to);
      for (size_t i = 0; pairs_ != nullptr && i < copy.rows; ++i) pairs_->round(to + i * width_, width_);
    }
  }

  void StartRows() {
    const size_t states = RoundUp(NumRows(), kernels_.lanes) + kernels_.lanes;
    for (Buffer<float>* state : {&scratch_.max, &scratch_.sum, &scratch_.factors, &scratch_.logs}) {
      state->Reserve(states);
    }
    std::fill_n(scratch_.max.data(), states, -std::numeric_limits<float>::infinity());
    std::fill_n(scratch_.sum.data(), states, 0.0f);
    if (result_ != nullptr) return;
    scratch_.mixed.Reserve(NumRows() * width_);
    std::fill_n(scratch_.mixed.data(), NumRows() * width_, 0.0f);
  }

  void RunKeys(Range keys) {
    const size_t kv_head = heads_.begin / (problem_.sizes.heads / problem_.sizes.kv_heads);
    scratch_.keys.Reserve(RoundUp(keys.size(), kernels_.panel) * problem_.sizes.head_dim);
    scratch_.values.Reserve(RoundUp(keys.size(), 2) * width_);
    RowCopy copy = RowsOf(problem_, problem_.k, b_, kv_head, keys, width_);
    copy.as_pairs = pairs_ != nullptr;
    copy.scale = problem_.scale;  // Not of pairs.
    copy.size = depth_;
    kernels_.copy_transposed(copy, scratch_.keys.data());
    copy = RowsOf(problem_, problem_.v, b_, kv_head, keys, width_);
    (pairs_ == nullptr ? kernels_.copy_rows : pairs_->copy_row_pairs)(copy, scratch_.values.data());
    const size_t part = EvenPart(rows_.size(), RowsDiffer(problem_) ? kFewRows : kRows, kernels_.rows);
    for (size_t head = heads_.begin; head < heads_.end; ++head) {
      for (size_t begin = rows_.begin; begin < rows_.end; begin += part) {
        RunRows(head, {begin, std::min(rows_.end, begin + part)}, keys);
      }
    }
  }

  // Columns are taken from a panel's begin on, so that the copies of the keys need not move.
  void RunRows(size_t head, Range queries, Range keys) {
    Range seen = VisibleKeys(problem_, b_, queries);
    seen = {std::max(seen.begin, keys.begin), std::min(seen.end, keys.end)};
    if (seen.empty()) return StoreZeros(head, queries);
    const size_t skipped = (seen.begin - keys.begin) / kernels_.panel * kernels_.panel;
    const Block block{b_, head, queries, {keys.begin + skipped, seen.end}};
    const size_t stride = RoundUp(block.keys.size(), kernels_.lanes);
    const size_t first = FirstRow(head) + queries.begin - rows_.begin;
    scratch_.scores.Reserve(queries.size() * stride);
    MultiplyKeys(block, stride, skipped, first);
    if (pairs_ != nullptr && ScaleOfPairs() != problem_.scale) {
      kernels_.multiply(scratch_.scores.data(), queries.size() * stride, problem_.scale);
    }
    FinishScores(problem_, kernels_, block, stride, scratch_.scores.data(), nullptr);
    for (size_t i = 0; i < queries.size(); ++i) {
      float* const row = scratch_.scores.data() + i * stride;
      float& sum = scratch_.sum[first + i];
      const bool fresh = sum == 0.0f;
      const float correction = kernels_.softmax(row, stride, &scratch_.max[first + i], &sum);
      if (!fresh) kernels_.multiply(scratch_.mixed.data() + (first + i) * width_, width_, correction);
      if (problem_.dropout_rate > 0.0f) DropRow(problem_, kernels_, block, i, stride, row);
      if (pairs_ != nullptr) pairs_->round(row, stride);
    }
    MultiplyValues(block, stride, skipped, first);
  }

  void MultiplyKeys(const Block& block, size_t stride, size_t skipped, size_t first) {
    Product product;
    if (InPlace()) {
      const RowCopy rows = RowsOf(problem_, problem_.q, b_, block.head, block.queries, width_);
      product.a = static_cast<const float*>(rows.from);
      product.a_row = rows.from_row;
    } else {
      product.a = scratch_.queries.data() + first * width_;
      product.a_row = width_;
    }
    product.a_depth = 1;
    product.b = scratch_.keys.data() + skipped * depth_;
    product.b_panel = kernels_.panel * depth_;
    product.b_depth = kernels_.panel;
    product.c = scratch_.scores.data();
    product.c_row = stride;
    product.rows = block.queries.size();
    product.columns = stride;
    product.depth = depth_;
    Multiply(product);
  }

  void MultiplyValues(const Block& block, size_t stride, size_t skipped, size_t first) {
    Product product;
    product.a = scratch_.scores.data();
    product.a_row = stride;
    product.a_depth = 1;
    const size_t together = pairs_ == nullptr ? 1 : 2;  // Rows of values in one of the copy.
    product.b = scratch_.values.data() + skipped / together * width_;
    product.b_panel = kernels_.panel;
    product.b_depth = width_;
    product.rows = block.queries.size();
    product.columns = width_;
    product.depth = RoundUp(block.keys.size(), together) / together;
    if (result_ == nullptr) {
      product.c = scratch_.mixed.data() + first * width_;
      product.c_row = width_;
      product.add = true;
    } else {
      FinishSoftmax(first, block.queries.size());
      product.c = ResultRows(block.head, block.queries);
      product.c_row = result_->row;
      product.factors = scratch_.factors.data() + first;
    }
    Multiply(product);
  }

  float* ResultRows(size_t head, Range queries) const {
    return static_cast<float*>(OutputRows(problem_, *result_, b_, head, queries));
  }

  // Of rows that see no key. (What `mixed` holds of them is 0 already.)
  void StoreZeros(size_t head, Range queries) {
    if (result_ == nullptr) return;
    float* const rows = ResultRows(head, queries);
    for (size_t i = 0; i < queries.size(); ++i) std::fill_n(rows + i * result_->row, width_, 0.0f);
  }

  // Of rows [first, first + count), and of some more, up to whole vectors.
  void FinishSoftmax(size_t first, size_t count) {
    kernels_.finish_softmax(scratch_.max.data() + first, scratch_.sum.data() + first, RoundUp(count, kernels_.lanes),
                            scratch_.factors.data() + first, scratch_.logs.data() + first);
  }

  void Multiply(const Product& product) const {
    (pairs_ == nullptr ? kernels_.product : pairs_->product)(product);
  }

  void Finish(const Output& out, float* lse) {
    FinishSoftmax(0, NumRows());
    for (size_t head = heads_.begin; head < heads_.end; ++head) {
      const size_t first = FirstRow(head);
      if (result_ == nullptr) {
        StoreRows(problem_, kernels_, scratch_.mixed.data() + first * width_, scratch_.factors.data() + first, out, b_,
                  head, rows_);
      }
      if (lse == nullptr) continue;
      std::copy_n(scratch_.logs.data() + first, rows_.size(),
                  lse + (b_ * problem_.sizes.heads + head) * problem_.sizes.queries + rows_.begin);
    }
  }

  const Problem& problem_;
  const Kernels& kernels_;
  Scratch& scratch_;
  const size_t b_;
  const Range heads_, rows_;
  const size_t width_;
  const PairKernels* const pairs_;  // Null: products are of floats.
  const size_t depth_;              // Of the products of queries and keys.
  const Output* result_ = nullptr;  // Where products with values are written; null: to `mixed`.
};

// Heads that a unit takes together: all that share keys where their queries are few, as they are while text is
// written, since copying the keys then is most of the work.
size_t HeadsTogether(const Sizes& sizes) {
  const size_t group = sizes.heads / sizes.kv_heads;
  return group * sizes.queries <= kRows ? group : 1;
}

// Each thread should have some units. The cut changes no bit of the results.
size_t RowsTogether(const Sizes& sizes, size_t head_units, size_t threads) {
  constexpr size_t kTurns = 4;
  const size_t for_threads = sizes.queries * head_units / (kTurns * threads);
  return EvenPart(sizes.queries, std::clamp(for_threads, kRows, kUnitRows), kRows);
}

// Neighbouring heads lie side by side in memory: a thread that takes some of them finds the next one's rows fetched by
// the processor already (measured with two threads: 1.08 to 1.12 times as fast at 77 and 197 queries). Each thread
// should have some turns all the same. What is computed does not depend on it.
size_t UnitsTogether(size_t units, size_t threads) {
  constexpr size_t kMostUnits = 8, kTurns = 8;
  return std::clamp<size_t>(units / (kTurns * threads), 1, kMostUnits);
}

}  // namespace

void Forward(const Problem& problem, const Output& out, float* lse, Executor& executor, Isa isa) {
  CheckForward(problem, out);
  RunForward(problem, out, lse, executor, problem.dtype == Dtype::kBfloat16 ? KernelsForBfloat16(isa) : KernelsFor(isa));
}

void RunForward(const Problem& problem, const Output& out, float* lse, Executor& executor, const Kernels& kernels) {
  const Sizes& sizes = problem.sizes;
  if (sizes.batch == 0 || sizes.heads == 0 || sizes.queries == 0) return;
  const size_t together = HeadsTogether(sizes), head_units = sizes.heads / together;
  const size_t threads = executor.concurrency(), rows = RowsTogether(sizes, sizes.batch * head_units, threads);
  const size_t parts = (sizes.queries + rows - 1) / rows;
  const size_t units = sizes.batch * head_units * parts;
  // Many at a time first, and one by one at the end, where threads would wait for each other.
  const size_t many = UnitsTogether(units, threads), singles = std::min(units, 2 * many * threads);
  const size_t groups = (units - singles) / many, grouped = groups * many;
  executor.ParallelFor(groups + units - grouped, [&](size_t task) {
    const bool single = task >= groups;
    const size_t begin = single ? grouped + task - groups : task * many;
    for (size_t unit = begin; unit < begin + (single ? 1 : many); ++unit) {
      const size_t b = unit / (parts * head_units), head = unit / parts % head_units * together;
      const size_t first = unit % parts * rows;
      Unit(problem, kernels, b, {head, head + together}, {first, std::min(sizes.queries, first + rows)}).Run(out, lse);
    }
  });
}

}  // namespace mmcore::attention
