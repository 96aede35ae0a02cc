// The C interface: checks what it is given, then queues kernels.
#include "cuda/attention.h"

#include <cstdio>
#include <initializer_list>

#include "cuda/kernels.h"
#include "cuda/shapes.h"

namespace mmcore::cuda {
namespace {

constexpr int kMostBlocks = 65535;  // Along the second and third axis of a grid.

// Writes the sentence into a buffer of the thread.
template <typename... Values>
const char* Sentence(const char* format, Values... values) {
  thread_local char buffer[256];
  std::snprintf(buffer, sizeof(buffer), format, values...);
  return buffer;
}

const char* CheckSizes(const MmcoreAttention& call) {
  if (call.dtype < MMCORE_FLOAT32 || call.dtype > MMCORE_FLOAT16) {
    return Sentence("dtype is 0 (float32), 1 (bfloat16) or 2 (float16), not %d", call.dtype);
  }
  for (const int size : {call.batch, call.queries, call.keys, call.heads, call.kv_heads}) {
    if (size < 0) return Sentence("sizes are not negative, found %d among batch, queries, keys and heads", size);
  }
  if (call.kv_heads < 1 || call.heads % call.kv_heads != 0) {
    return Sentence("heads are a multiple of kv_heads, not %d of %d", call.heads, call.kv_heads);
  }
  if (call.head_dim < 1 || call.head_dim > kMostDim) {
    return Sentence("head_dim is 1 to %d on a GPU, not %d; use impl=\"tensorflow\"", kMostDim, call.head_dim);
  }
  if (call.batch > kMostBlocks || call.heads > kMostBlocks) {
    return Sentence("batch and heads are at most %d on a GPU, not %d and %d", kMostBlocks, call.batch, call.heads);
  }
  return nullptr;
}

const char* CheckOptions(const MmcoreAttention& call) {
  if (!(call.dropout_rate >= 0 && call.dropout_rate < 1)) {
    return Sentence("dropout_rate is at least 0 and below 1, not %g", static_cast<double>(call.dropout_rate));
  }
  if (!(call.soft_cap >= 0)) {
    return Sentence("soft_cap is positive, or 0 for none, not %g", static_cast<double>(call.soft_cap));
  }
  if (call.window < 0) return Sentence("window is positive, or 0 for none, not %d", call.window);
  if ((call.query_segments == nullptr) != (call.key_segments == nullptr)) {
    return "segment ids are given for queries and keys or for neither";
  }
  return nullptr;
}

// A tensor with no elements may be null.
const char* CheckTensors(std::initializer_list<const MmcoreTensor*> tensors, bool empty, const char* names) {
  for (const MmcoreTensor* tensor : tensors) {
    if (tensor->data == nullptr && !empty) return Sentence("%s are needed, at least one of them is null", names);
  }
  return nullptr;
}

const char* CheckBackward(const MmcoreAttention& call) {
  const bool no_queries = call.batch == 0 || call.queries == 0 || call.heads == 0;
  const bool no_keys = call.batch == 0 || call.keys == 0 || call.heads == 0;
  if (const char* error = CheckTensors({&call.out, &call.dout}, no_queries, "out and dout")) return error;
  if ((call.lse == nullptr || call.delta == nullptr) && !no_queries) {
    return "lse (of the forward pass) and delta (room for batch x heads x queries floats) are needed";
  }
  if (call.dq.data != nullptr || call.dk.data != nullptr || call.dv.data != nullptr) {
    if (const char* error = CheckTensors({&call.dq}, no_queries, "dq, dk and dv (or none of them)")) return error;
    if (const char* error = CheckTensors({&call.dk, &call.dv}, no_keys, "dq, dk and dv (or none of them)")) {
      return error;
    }
  }
  const int64_t blocks = (call.dbias.batch == 0 ? 1 : int64_t{call.batch}) * (call.dbias.head == 0 ? 1 : call.heads);
  if (call.dbias.data != nullptr && call.bias.data == nullptr) return "dbias is asked for without a bias";
  if (call.dbias.data != nullptr && blocks > kMostBlocks) {
    return Sentence("a bias with a gradient has at most %d heads in all examples together", kMostBlocks);
  }
  return nullptr;
}

const char* Check(const MmcoreAttention& call) {
  if (const char* error = CheckSizes(call)) return error;
  if (const char* error = CheckOptions(call)) return error;
  const bool no_examples = call.batch == 0 || call.heads == 0;
  if (const char* error = CheckTensors({&call.q}, no_examples || call.queries == 0, "q, k and v")) return error;
  return CheckTensors({&call.k, &call.v}, no_examples || call.keys == 0, "q, k and v");
}

bool Aligned(const MmcoreTensor& tensor, int64_t bytes) {
  const int64_t strides = tensor.batch | tensor.row | tensor.head;
  return reinterpret_cast<uintptr_t>(tensor.data) % 16 == 0 && (strides * bytes) % 16 == 0;
}

Call Prepare(const MmcoreAttention& problem) {
  Call call{problem, 0, 0, true};
  call.window = Smaller(call.window, call.queries + call.keys);
  call.inverse_cap = call.soft_cap > 0 ? 1 / call.soft_cap : 0;
  call.keep = 1 / (1 - call.dropout_rate);
  const int64_t bytes = call.dtype == MMCORE_FLOAT32 ? 4 : 2;
  call.aligned = call.head_dim * bytes % 16 == 0;
  for (const MmcoreTensor* tensor : {&call.q, &call.k, &call.v, &call.out, &call.dout, &call.dq, &call.dk, &call.dv}) {
    call.aligned = call.aligned && Aligned(*tensor, bytes);
  }
  return call;
}

template <typename T>
const char* Backward(const Call& call, Stream stream) {
  const bool queries = call.queries > 0, keys = call.keys > 0;
  const char* error = queries ? Delta<T>(call, stream) : nullptr;
  if (error == nullptr && keys && call.dk.data != nullptr) error = KeyGradients<T>(call, stream);
  if (error == nullptr && queries && call.dq.data != nullptr) error = QueryGradients<T>(call, stream);
  if (error == nullptr && keys && call.dbias.data != nullptr) error = BiasGradient<T>(call, stream);
  return error;
}

const char* Failed(const char* error) {
  return error == nullptr ? nullptr : Sentence("the GPU's driver refuses to run attention: %s", error);
}

}  // namespace
}  // namespace mmcore::cuda

extern "C" {

const char* mmcore_cuda_attention_forward(const MmcoreAttention* problem, void* stream) {
  using namespace mmcore::cuda;
  if (const char* error = Check(*problem)) return error;
  const bool empty = problem->batch == 0 || problem->heads == 0 || problem->queries == 0;
  if (const char* error = CheckTensors({&problem->out}, empty, "all elements of out")) return error;
  if (empty) return nullptr;
  const Call call = Prepare(*problem);
  const auto queue = call.dtype == MMCORE_FLOAT32    ? Forward<float>
                     : call.dtype == MMCORE_BFLOAT16 ? Forward<Bfloat16>
                                                     : Forward<Float16>;
  return Failed(queue(call, static_cast<Stream>(stream)));
}

const char* mmcore_cuda_attention_backward(const MmcoreAttention* problem, void* stream) {
  using namespace mmcore::cuda;
  if (const char* error = Check(*problem)) return error;
  if (const char* error = CheckBackward(*problem)) return error;
  if (problem->batch == 0 || problem->heads == 0) return nullptr;
  const Call call = Prepare(*problem);
  const auto queue = call.dtype == MMCORE_FLOAT32    ? Backward<float>
                     : call.dtype == MMCORE_BFLOAT16 ? Backward<Bfloat16>
                                                     : Backward<Float16>;
  return Failed(queue(call, static_cast<Stream>(stream)));
}

size_t mmcore_cuda_attention_size(void) { return sizeof(MmcoreAttention); }

}  // extern "C"
