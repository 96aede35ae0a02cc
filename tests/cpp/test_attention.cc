// Forward and Backward against the definition, for each instruction set. Under the sanitizers this also proves that no
// kernel reads or writes outside the caller's memory: every tensor lies in an allocation of exactly its size.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "check.h"
#include "core/attention/attention.h"
#include "core/base/bfloat16.h"
#include "core/attention/dropout.h"
#include "core/attention/scores.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"

namespace {

using mmcore::FromBfloat16;
using mmcore::InlineExecutor;
using mmcore::InvalidArgument;
using mmcore::Isa;
using mmcore::PoolExecutor;
using mmcore::ToBfloat16;
using namespace mmcore::attention;

constexpr double kUnwritten = -77;  // Exact in both dtypes.

std::vector<Isa> Isas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa <= mmcore::DetectedIsa()) isas.push_back(isa);
  }
  return isas;
}

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed + 1) {}
  size_t Below(size_t count) { return engine_() % count; }
  bool Chance(double share) { return static_cast<double>(Below(1000)) < share * 1000; }
  float Normal() { return std::normal_distribution<float>()(engine_); }

 private:
  std::minstd_rand engine_;
};

// [batch, rows, heads, head_dim] in memory of exactly its size, with gaps between axes that nobody may write to.
class Rows {
 public:
  Rows(Dtype dtype, size_t batch, size_t rows, size_t heads, size_t head_dim, Random& random)
      : shape_{batch, rows, heads, head_dim} {
    head_ = head_dim + random.Below(3);
    row_ = heads * head_ + random.Below(3);
    batch_ = rows * row_ + random.Below(3);
    const bool empty = batch * rows == 0;
    size_ = empty ? 0 : (batch - 1) * batch_ + (rows - 1) * row_ + (heads - 1) * head_ + head_dim;
    floats_.reset(dtype == Dtype::kFloat32 ? new float[size_] : nullptr);
    halves_.reset(dtype == Dtype::kFloat32 ? nullptr : new uint16_t[size_]);
    for (size_t i = 0; i < size_; ++i) Set(i, kUnwritten);
  }

  void Fill(Random& random) {
    ForEach([&](size_t i) { Set(i, double{random.Normal()}); });
  }
  double Get(size_t i) const { return floats_ ? double{floats_[i]} : double{FromBfloat16(halves_[i])}; }
  size_t size() const { return size_; }
  Output out() { return {data(), batch_, row_, head_}; }
  Input in() { return {data(), batch_, row_, head_}; }

  template <typename Body>
  void ForEach(Body body) const {
    for (size_t b = 0; b < shape_[0]; ++b) {
      for (size_t r = 0; r < shape_[1]; ++r) {
        for (size_t h = 0; h < shape_[2]; ++h) {
          for (size_t d = 0; d < shape_[3]; ++d) body(b * batch_ + r * row_ + h * head_ + d);
        }
      }
    }
  }

 private:
  void* data() { return floats_ ? static_cast<void*>(floats_.get()) : static_cast<void*>(halves_.get()); }
  void Set(size_t i, double value) {
    const auto single = static_cast<float>(value);
    if (floats_) {
      floats_[i] = single;
    } else {
      halves_[i] = ToBfloat16(single);
    }
  }

  size_t shape_[4], batch_, row_, head_, size_;
  std::unique_ptr<float[]> floats_;
  std::unique_ptr<uint16_t[]> halves_;
};

// [batch or 1, heads or 1, queries or 1, keys] in memory of exactly its size, rows further apart than they are long.
template <typename T>
struct Scores {
  Scores(const Sizes& sizes, Random& random) {
    const size_t query = sizes.keys + random.Below(3);
    const size_t queries = random.Chance(0.5) ? sizes.queries : 1, heads = random.Chance(0.5) ? sizes.heads : 1;
    const size_t batch = random.Chance(0.5) ? sizes.batch : 1;
    view.query = queries == 1 ? 0 : query;
    view.head = heads == 1 ? 0 : queries * query;
    view.batch = batch == 1 ? 0 : heads * queries * query;
    const size_t rows = batch * heads * queries;
    size = rows == 0 || sizes.keys == 0 ? 0 : (rows - 1) * query + sizes.keys;
    memory.reset(new T[size]);
    view.data = memory.get();
  }
  std::unique_ptr<T[]> memory;
  Broadcast<T> view;
  size_t size;
};

template <typename T>
Broadcast<const T> Constant(const Broadcast<T>& view) {
  return {view.data, view.batch, view.head, view.query};
}

// A problem of chance and all its memory.
struct Case {
  Case(uint32_t seed, const Sizes& sizes, Dtype dtype)
      : random(seed),
        q(dtype, sizes.batch, sizes.queries, sizes.heads, sizes.head_dim, random),
        k(dtype, sizes.batch, sizes.keys, sizes.kv_heads, sizes.head_dim, random),
        v(dtype, sizes.batch, sizes.keys, sizes.kv_heads, sizes.head_dim, random),
        mask(sizes, random),
        bias(sizes, random) {
    problem.dtype = dtype;
    problem.sizes = sizes;
    problem.scale = 1 / std::sqrt(static_cast<float>(sizes.head_dim));
    for (Rows* rows : {&q, &k, &v}) rows->Fill(random);
    problem.q = q.in();
    problem.k = k.in();
    problem.v = v.in();
    problem.causal = random.Chance(0.3);
    problem.window = random.Chance(0.3) ? 1 + random.Below(sizes.keys + 2) : 0;
    problem.soft_cap = random.Chance(0.3) ? 1.5f : 0;
    AddScores();
    AddSegments();
    if (!random.Chance(0.3)) return;
    problem.dropout_rate = 0.3f;
    problem.seed[0] = 7;
    problem.seed[1] = seed;
  }

  void AddScores() {
    for (size_t i = 0; i < mask.size; ++i) mask.memory[i] = random.Chance(0.7);
    for (size_t i = 0; i < bias.size; ++i) {
      bias.memory[i] = random.Chance(0.1) ? -std::numeric_limits<float>::infinity() : random.Normal();
    }
    if (random.Chance(0.4)) problem.mask = Constant(mask.view);
    if (random.Chance(0.4)) problem.bias = Constant(bias.view);
  }

  void AddSegments() {
    const Sizes& sizes = problem.sizes;
    if (!random.Chance(0.3)) return;
    query_segments.reset(new int32_t[sizes.batch * sizes.queries]);
    key_segments.reset(new int32_t[sizes.batch * sizes.keys]);
    for (size_t i = 0; i < sizes.batch * sizes.queries; ++i) query_segments[i] = static_cast<int32_t>(random.Below(3));
    for (size_t i = 0; i < sizes.batch * sizes.keys; ++i) key_segments[i] = static_cast<int32_t>(random.Below(3));
    problem.query_segments = query_segments.get();
    problem.key_segments = key_segments.get();
  }

  Random random;
  Rows q, k, v;
  Scores<bool> mask;
  Scores<float> bias;
  std::unique_ptr<int32_t[]> query_segments, key_segments;
  Problem problem;
};

// Everything that both passes write.
struct Results {
  explicit Results(Case& from)
      : random(3),
        out(Like(from.problem, from.problem.sizes.queries, from.problem.sizes.heads)),
        dq(Like(from.problem, from.problem.sizes.queries, from.problem.sizes.heads)),
        dk(Like(from.problem, from.problem.sizes.keys, from.problem.sizes.kv_heads)),
        dv(Like(from.problem, from.problem.sizes.keys, from.problem.sizes.kv_heads)),
        lse(new float[lse_size(from.problem.sizes)]),
        dbias(new float[from.bias.size]) {
    std::fill_n(dbias.get(), from.bias.size, static_cast<float>(kUnwritten));
  }

  static size_t lse_size(const Sizes& sizes) { return sizes.batch * sizes.heads * sizes.queries; }
  Rows Like(const Problem& problem, size_t rows, size_t heads) {
    return Rows(problem.dtype, problem.sizes.batch, rows, heads, problem.sizes.head_dim, random);
  }

  Gradients Wanted(Case& from, Rows& dout) {
    Gradients gradients;
    gradients.out = out.in();
    gradients.dout = dout.in();
    gradients.lse = lse.get();
    gradients.dq = dq.out();
    gradients.dk = dk.out();
    gradients.dv = dv.out();
    if (from.problem.bias.data == nullptr) return gradients;
    const auto& view = from.bias.view;
    gradients.dbias = {dbias.get(), view.batch, view.head, view.query};
    return gradients;
  }

  Random random;
  Rows out, dq, dk, dv;
  std::unique_ptr<float[]> lse, dbias;
};

double Unit(Dtype dtype) { return dtype == Dtype::kFloat32 ? 1e-5 : 1.0 / 64; }

// Near where the definition wrote, relative to the largest number; untouched where it did not write.
void CheckNear(const Rows& found, const Rows& expected, double unit) {
  double most = 1;
  for (size_t i = 0; i < expected.size(); ++i) most = std::max(most, std::abs(expected.Get(i)));
  std::vector<bool> written(expected.size());
  expected.ForEach([&](size_t i) { written[i] = true; });
  bool near = true, untouched = true;
  for (size_t i = 0; i < expected.size(); ++i) {
    // A NaN is near nothing.
    if (written[i] && !(std::abs(found.Get(i) - expected.Get(i)) <= unit * most)) near = false;
    if (!written[i] && found.Get(i) != kUnwritten) untouched = false;
  }
  CHECK(near);
  CHECK(untouched);
}

void CheckNear(const float* found, const float* expected, size_t size, double unit) {
  double most = 1;
  for (size_t i = 0; i < size; ++i) {
    if (std::isfinite(expected[i])) most = std::max(most, std::abs(double{expected[i]}));
  }
  bool near = true;
  for (size_t i = 0; i < size; ++i) {
    if (found[i] != expected[i] && !(std::abs(double{found[i]} - double{expected[i]}) <= unit * most)) near = false;
  }
  CHECK(near);
}

bool SameBits(const Rows& a, const Rows& b) {
  bool same = true;
  for (size_t i = 0; i < a.size(); ++i) same = same && a.Get(i) == b.Get(i);
  return same;
}

void Run(Case& from, Rows& dout, Results& results, mmcore::Executor& executor, Isa isa) {
  Forward(from.problem, results.out.out(), results.lse.get(), executor, isa);
  Backward(from.problem, results.Wanted(from, dout), executor, isa);
}

void TestEveryIsaAgainstTheDefinition(uint32_t seed, const Sizes& sizes, Dtype dtype) {
  Case from(seed, sizes, dtype);
  Results expected(from);
  Rows dout = expected.Like(from.problem, sizes.queries, sizes.heads);
  dout.Fill(from.random);
  ReferenceForward(from.problem, expected.out.out(), expected.lse.get());
  ReferenceBackward(from.problem, expected.Wanted(from, dout));
  const double unit = Unit(dtype);
  for (const Isa isa : Isas()) {
    InlineExecutor inline_executor;
    Results found(from);
    Run(from, dout, found, inline_executor, isa);
    CheckNear(found.out, expected.out, unit);
    CheckNear(found.lse.get(), expected.lse.get(), Results::lse_size(sizes), 1e-5);
    CheckNear(found.dq, expected.dq, 8 * unit);
    CheckNear(found.dk, expected.dk, 8 * unit);
    CheckNear(found.dv, expected.dv, 8 * unit);
    if (from.problem.bias.data != nullptr) {
      CheckNear(found.dbias.get(), expected.dbias.get(), from.bias.size, 8 * unit);
    }
    PoolExecutor pool;
    Results pooled(from);
    Run(from, dout, pooled, pool, isa);
    CHECK(SameBits(found.out, pooled.out) && SameBits(found.dq, pooled.dq));
    CHECK(SameBits(found.dk, pooled.dk) && SameBits(found.dv, pooled.dv));
    CHECK(std::equal(found.dbias.get(), found.dbias.get() + from.bias.size, pooled.dbias.get()));
  }
}

void TestManyProblems() {
  constexpr size_t kLengths[] = {1, 2, 3, 7, 15, 16, 17, 31, 33, 50, 65};
  constexpr size_t kHeadDims[] = {1, 3, 8, 16, 17, 31, 64, 80};
  Random random(11);
  for (uint32_t seed = 0; seed < 150; ++seed) {
    const size_t kv_heads = 1 + random.Below(2);
    const Sizes sizes = {1 + random.Below(2),          kLengths[random.Below(11)],        kLengths[random.Below(11)],
                         kv_heads * (1 + random.Below(3)), kv_heads, kHeadDims[random.Below(8)]};
    TestEveryIsaAgainstTheDefinition(seed, sizes, seed % 3 == 0 ? Dtype::kBfloat16 : Dtype::kFloat32);
  }
  // Around the length from which scores are no longer held in whole rows.
  for (uint32_t seed = 0; seed < 6; ++seed) {
    const size_t keys = 500 + random.Below(40);
    const Dtype dtype = seed % 3 == 0 ? Dtype::kBfloat16 : Dtype::kFloat32;
    TestEveryIsaAgainstTheDefinition(seed, {1, 3 + random.Below(20), keys, 2, 1, 9}, dtype);
  }
  // Many more queries than keys, and so many heads that each is one unit: with causal or a window whole parts of a
  // unit see no key.
  for (uint32_t seed = 0; seed < 12; ++seed) {
    const size_t head_dim = seed % 3 == 0 ? 9 : 16;
    const Sizes sizes = {4, 150 + random.Below(150), 1 + random.Below(60), 8, 4, head_dim};
    TestEveryIsaAgainstTheDefinition(seed, sizes, Dtype::kFloat32);
  }
}

// Products of pairs of bfloat16, which Forward takes on some processors alone.
void TestPairs() {
#if MMCORE_X86
  if (mmcore::DetectedIsa() < Isa::kAvx512 || !HasAvx512Bf16()) return;
  Random random(12);
  for (uint32_t seed = 0; seed < 40; ++seed) {
    const size_t keys = seed % 8 == 0 ? 500 + random.Below(200) : 1 + random.Below(80);
    const Sizes sizes = {1 + random.Below(2), 1 + random.Below(120),    keys, 2,
                         1 + random.Below(2), 2 * (1 + random.Below(40))};
    Case from(seed, sizes, Dtype::kBfloat16);
    Results expected(from);
    ReferenceForward(from.problem, expected.out.out(), expected.lse.get());
    std::vector<const Kernels*> sets = {&Avx512Bf16Kernels()};
    if (HasAmx()) sets.push_back(&AmxKernels());
    for (const Kernels* kernels : sets) {
      Results found(from);
      InlineExecutor executor;
      RunForward(from.problem, found.out.out(), found.lse.get(), executor, *kernels);
      CheckNear(found.out, expected.out, Unit(Dtype::kBfloat16));
      CheckNear(found.lse.get(), expected.lse.get(), Results::lse_size(sizes), 1e-5);
    }
  }
#endif
}

void TestEmptySizes() {
  for (const Dtype dtype : {Dtype::kFloat32, Dtype::kBfloat16}) {
    for (uint32_t seed = 0; seed < 5; ++seed) {
      TestEveryIsaAgainstTheDefinition(seed, {0, 3, 4, 2, 1, 5}, dtype);
      TestEveryIsaAgainstTheDefinition(seed, {2, 0, 4, 2, 1, 5}, dtype);
      TestEveryIsaAgainstTheDefinition(seed, {2, 3, 0, 2, 1, 5}, dtype);
    }
  }
}

// By hand: one query, two keys with scores 0 and log 3, so P = 1/4 and 3/4.
void TestTheDefinitionByHand() {
  const float q[] = {1}, k[] = {0, std::log(3.0f)}, v[] = {8, 16}, dout[] = {1};
  float out[1], lse[1], dq[1], dk[2], dv[2];
  Problem problem;
  problem.sizes = {1, 1, 2, 1, 1, 1};
  problem.q = {q, 1, 1, 1};
  problem.k = {k, 2, 1, 1};
  problem.v = {v, 2, 1, 1};
  ReferenceForward(problem, {out, 1, 1, 1}, lse);
  CHECK(std::abs(out[0] - 14) < 1e-5f);
  CHECK(std::abs(lse[0] - std::log(4.0f)) < 1e-6f);
  Gradients gradients;
  gradients.out = {out, 1, 1, 1};
  gradients.dout = {dout, 1, 1, 1};
  gradients.lse = lse;
  gradients.dq = {dq, 1, 1, 1};
  gradients.dk = {dk, 2, 1, 1};
  gradients.dv = {dv, 2, 1, 1};
  ReferenceBackward(problem, gradients);
  CHECK(std::abs(dv[0] - 0.25f) < 1e-6f && std::abs(dv[1] - 0.75f) < 1e-6f);
  // dS = P (dP - mean) = 1/4 (8 - 14), 3/4 (16 - 14).
  CHECK(std::abs(dk[0] + 1.5f) < 1e-5f && std::abs(dk[1] - 1.5f) < 1e-5f);
  CHECK(std::abs(dq[0] - 1.5f * k[1]) < 1e-5f);
}

void TestARowThatSeesNothing() {
  Case from(1, {1, 2, 3, 1, 1, 4}, Dtype::kFloat32);
  from.problem.mask = {};
  from.problem.bias = {};
  from.problem.query_segments = from.problem.key_segments = nullptr;
  const std::unique_ptr<bool[]> hidden(new bool[3]());
  from.problem.mask.data = hidden.get();
  for (const Isa isa : Isas()) {
    Results found(from);
    Rows dout = found.Like(from.problem, 2, 1);
    dout.Fill(from.random);
    InlineExecutor executor;
    Run(from, dout, found, executor, isa);
    bool zero = true;
    for (Rows* rows : {&found.out, &found.dq, &found.dk, &found.dv}) {
      rows->ForEach([&](size_t i) { zero = zero && rows->Get(i) == 0; });
    }
    CHECK(zero);
    CHECK(found.lse[0] == std::numeric_limits<float>::infinity());
  }
}

void TestWhatIsWrongIsRefused() {
  Case from(2, {1, 2, 3, 4, 2, 5}, Dtype::kFloat32);
  Results results(from);
  Rows dout = results.Like(from.problem, 2, 4);
  dout.Fill(from.random);
  InlineExecutor executor;
  const auto refused = [&](auto change) {
    Problem wrong = from.problem;
    change(wrong);
    CHECK_THROWS(Forward(wrong, results.out.out(), results.lse.get(), executor), InvalidArgument);
    CHECK_THROWS(Backward(wrong, results.Wanted(from, dout), executor), InvalidArgument);
    CHECK_THROWS(ReferenceForward(wrong, results.out.out(), nullptr), InvalidArgument);
  };
  refused([](Problem& p) { p.sizes.kv_heads = 3; });
  refused([](Problem& p) { p.sizes.kv_heads = 0; });
  refused([](Problem& p) { p.sizes.head_dim = 0; });
  refused([](Problem& p) { p.scale = std::numeric_limits<float>::infinity(); });
  refused([](Problem& p) { p.scale = std::numeric_limits<float>::quiet_NaN(); });
  refused([](Problem& p) { p.soft_cap = -1; });
  refused([](Problem& p) { p.dropout_rate = 1; });
  refused([](Problem& p) { p.dropout_rate = -0.1f; });
  refused([](Problem& p) { p.dropout_rate = std::numeric_limits<float>::quiet_NaN(); });
  refused([](Problem& p) { p.q.data = nullptr; });
  const int32_t segments[3] = {};
  refused([&](Problem& p) { p.query_segments = segments, p.key_segments = nullptr; });
  Gradients gradients = results.Wanted(from, dout);
  gradients.dk.data = nullptr;
  CHECK_THROWS(Backward(from.problem, gradients, executor), InvalidArgument);
  gradients = results.Wanted(from, dout);
  from.problem.bias = {};
  gradients.dbias.data = results.dbias.get();
  CHECK_THROWS(Backward(from.problem, gradients, executor), InvalidArgument);
}

// dq, dk, dv and dbias are each what they are without the others.
void TestGradientsOnTheirOwn() {
  Case from(5, {2, 3, 4, 2, 1, 5}, Dtype::kFloat32);
  from.problem.bias = Constant(from.bias.view);
  Results all(from), some(from), rest(from);
  Rows dout = all.Like(from.problem, 3, 2);
  dout.Fill(from.random);
  InlineExecutor executor;
  for (const Isa isa : Isas()) {
    Run(from, dout, all, executor, isa);
    Gradients gradients = all.Wanted(from, dout);
    gradients.dq = some.dq.out();
    gradients.dk = some.dk.out();
    gradients.dv = some.dv.out();
    gradients.dbias = {};
    Backward(from.problem, gradients, executor, isa);
    CHECK(SameBits(all.dq, some.dq) && SameBits(all.dk, some.dk) && SameBits(all.dv, some.dv));
    gradients.dq = gradients.dk = gradients.dv = {};
    gradients.dbias = rest.Wanted(from, dout).dbias;
    Backward(from.problem, gradients, executor, isa);
    CHECK(std::equal(all.dbias.get(), all.dbias.get() + from.bias.size, rest.dbias.get()));
  }
}

void TestDropoutKeepsTheRightShare() {
  const uint32_t seed[2] = {5, 9};
  size_t kept = 0;
  for (uint32_t i = 0; i < 100000; ++i) kept += DropoutKeeps(seed, 0.25f, i) ? 1 : 0;
  CHECK(kept > 74500 && kept < 75500);  // 75000 and 3.6 standard deviations
  CHECK(DropoutKeeps(seed, 0.0f, 1));
}

void TestBfloat16() {
  CHECK(ToBfloat16(1.0f) == 0x3F80);
  CHECK(FromBfloat16(0xC000) == -2.0f);
  CHECK(ToBfloat16(FromBfloat16(0x3F80) + 1.0f / 256) == 0x3F80);      // A tie goes to the even one.
  CHECK(ToBfloat16(FromBfloat16(0x3F81) + 1.0f / 256) == 0x3F82);
  CHECK(ToBfloat16(std::numeric_limits<float>::max()) == 0x7F80);
  CHECK(std::isnan(FromBfloat16(ToBfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace

int main() {
  TestTheDefinitionByHand();
  TestManyProblems();
  TestPairs();
  TestEmptySizes();
  TestARowThatSeesNothing();
  TestGradientsOnTheirOwn();
  TestWhatIsWrongIsRefused();
  TestDropoutKeepsTheRightShare();
  TestBfloat16();
  return mmcore::testing::Report("attention");
}
