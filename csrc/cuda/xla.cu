#include "cuda/xla.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cuda/device.h"

namespace mmcore::cuda {
namespace {

MmcoreSetFailure g_set_failure = nullptr;

void Fail(void* status, const char* message) {
  if (g_set_failure == nullptr) {  // A wrong result would be worse.
    std::fprintf(stderr, "mmcore: attention on the GPU failed, and nobody is told: %s\n", message);
    std::abort();
  }
  g_set_failure(status, message);
}

// Integers in decimal with one space between two. After one that is not as expected all are 0.
class Integers {
 public:
  explicit Integers(std::string_view text) : rest_(text) {}

  int64_t Next(int64_t most) {
    if (!first_) failed_ |= rest_.empty() || rest_.front() != ' ';
    if (!first_ && !failed_) rest_.remove_prefix(1);
    first_ = false;
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    failed_ |= error != std::errc() || value < 0 || value > most;
    if (failed_) return 0;
    rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
    return value;
  }

  int32_t Int() { return static_cast<int32_t>(Next(kMostInt)); }
  bool Flag() { return Next(1) == 1; }
  float Float() {
    const auto bits = static_cast<uint32_t>(Next(0xFFFFFFFF));
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  // Any distance that is longer than all sequences is as good as the longest.
  int32_t Distance() {
    const int64_t value = Next(INT64_MAX);
    return static_cast<int32_t>(value < kMostInt ? value : kMostInt);
  }
  bool Done() const { return !failed_ && rest_.empty(); }

 private:
  static constexpr int64_t kMostInt = 0x7FFFFFFF;
  std::string_view rest_;
  bool first_ = true, failed_ = false;
};

struct Axes {
  bool there, batch, head, query;
};

Axes ReadAxes(Integers& integers) {
  const bool there = integers.Flag(), batch = integers.Flag(), head = integers.Flag(), query = integers.Flag();
  return {there, batch, head, query};
}

// What the text says, besides the options that stand in the problem already.
struct Layout {
  Axes mask, bias;
  bool segments, seed;
};

bool Read(std::string_view text, MmcoreAttention& problem, Layout& layout) {
  Integers integers(text);
  problem.causal = integers.Flag();
  problem.window = integers.Distance();
  for (float* option : {&problem.scale, &problem.soft_cap, &problem.dropout_rate}) *option = integers.Float();
  for (int32_t* number : {&problem.dtype, &problem.batch, &problem.queries, &problem.keys, &problem.heads,
                          &problem.kv_heads, &problem.head_dim}) {
    *number = integers.Int();
  }
  layout.mask = ReadAxes(integers);
  layout.bias = ReadAxes(integers);
  layout.segments = integers.Flag();
  layout.seed = integers.Flag();
  return integers.Done();
}

// Contiguous [batch, rows, heads, head_dim].
MmcoreTensor Contiguous(const MmcoreAttention& problem, int64_t rows, int64_t heads, void* data) {
  const int64_t head = problem.head_dim, row = heads * head;
  return {data, rows * row, row, head};
}
MmcoreTensor LikeQueries(const MmcoreAttention& problem, void* data) {
  return Contiguous(problem, problem.queries, problem.heads, data);
}
MmcoreTensor LikeKeys(const MmcoreAttention& problem, void* data) {
  return Contiguous(problem, problem.keys, problem.kv_heads, data);
}

MmcoreBroadcast WithAxes(const MmcoreAttention& problem, const Axes& axes, void* data) {
  const int64_t query = problem.keys, head = query * (axes.query ? problem.queries : 1);
  const int64_t batch = head * (axes.head ? problem.heads : 1);
  return {data, axes.batch ? batch : 0, axes.head ? head : 0, axes.query ? query : 0};
}

// Takes the inputs; the buffers that follow them.
void** TakeInputs(const Layout& layout, void** buffers, MmcoreAttention& problem) {
  problem.q = LikeQueries(problem, *buffers++);
  problem.k = LikeKeys(problem, *buffers++);
  problem.v = LikeKeys(problem, *buffers++);
  if (layout.mask.there) problem.mask = WithAxes(problem, layout.mask, *buffers++);
  if (layout.bias.there) problem.bias = WithAxes(problem, layout.bias, *buffers++);
  if (layout.segments) {
    problem.query_segments = static_cast<const int32_t*>(*buffers++);
    problem.key_segments = static_cast<const int32_t*>(*buffers++);
  }
  if (layout.seed) problem.device_seed = static_cast<const uint32_t*>(*buffers++);
  return buffers;
}

const char* RunForward(const MmcoreAttention& given, const Layout&, void** rest, void* stream) {
  MmcoreAttention problem = given;
  problem.out = LikeQueries(problem, rest[0]);
  problem.lse = static_cast<float*>(rest[1]);
  return mmcore_cuda_attention_forward(&problem, stream);
}

// XLA gives no room for delta: it is allocated and freed in the order of the stream.
const char* RunBackward(const MmcoreAttention& given, const Layout& layout, void** rest, void* stream) {
  MmcoreAttention problem = given;
  problem.out = LikeQueries(problem, rest[0]);
  problem.lse = static_cast<float*>(rest[1]);
  problem.dout = LikeQueries(problem, rest[2]);
  problem.dq = LikeQueries(problem, rest[3]);
  problem.dk = LikeKeys(problem, rest[4]);
  problem.dv = LikeKeys(problem, rest[5]);
  if (layout.bias.there) problem.dbias = WithAxes(problem, layout.bias, rest[6]);
  const size_t rows = static_cast<size_t>(problem.batch) * static_cast<size_t>(problem.heads) *
                      static_cast<size_t>(problem.queries);
  void* delta = nullptr;
  if (const char* error = Allocate(&delta, 4 * rows + 4, static_cast<Stream>(stream))) return error;
  problem.delta = static_cast<float*>(delta);
  const char* error = mmcore_cuda_attention_backward(&problem, stream);
  const char* freed = Free(delta, static_cast<Stream>(stream));
  return error != nullptr ? error : freed;
}

template <typename Function>
void Handle(void* stream, void** buffers, std::string_view text, void* status, const Function& function) {
  MmcoreAttention problem{};
  Layout layout{};
  if (!Read(text, problem, layout)) {
    Fail(status,
         "the options of attention are not what mmcore.ops.attention writes; mmcore's Python code and libraries differ "
         "in version");
    return;
  }
  if (problem.dropout_rate > 0 && !layout.seed) {
    Fail(status, "dropout_rate above 0 needs a seed");
    return;
  }
  void** rest = TakeInputs(layout, buffers, problem);
  if (const char* error = function(problem, layout, rest, stream)) Fail(status, error);
}

}  // namespace
}  // namespace mmcore::cuda

extern "C" {

void mmcore_cuda_xla_on_failure(MmcoreSetFailure set_failure) { mmcore::cuda::g_set_failure = set_failure; }

void mmcore_cuda_xla_attention(void* stream, void** buffers, const char* text, size_t size, void* status) {
  mmcore::cuda::Handle(stream, buffers, {text, size}, status, mmcore::cuda::RunForward);
}

void mmcore_cuda_xla_attention_grad(void* stream, void** buffers, const char* text, size_t size, void* status) {
  mmcore::cuda::Handle(stream, buffers, {text, size}, status, mmcore::cuda::RunBackward);
}

}  // extern "C"
