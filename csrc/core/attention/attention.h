// Attention with an exact softmax, forward and backward, that never holds more scores than a few rows of a head:
//
//   out[b, t, h] = sum_s P[s] v[b, s, g],  P = softmax_s(cap(scale q[b, t, h] . k[b, s, g]) + bias[b, h, t, s])
//
// over the keys s that query t may see, where g = h / (heads / kv_heads) and cap(x) = soft_cap tanh(x / soft_cap). A
// query that sees no key gives zeros. Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1; softmax block by
// block and the backward from its logarithm of sums: Dao et al. 2022, arXiv:2205.14135, algorithms 1 and 4.
#ifndef MMCORE_CORE_ATTENTION_ATTENTION_H_
#define MMCORE_CORE_ATTENTION_ATTENTION_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/base/dtype.h"
#include "core/base/executor.h"

namespace mmcore::attention {

using mmcore::Dtype;

// A tensor [batch, rows, heads, head_dim]: element (b, t, h, d) is data[b * batch + t * row + h * head + d].
template <typename Data>
struct Strided {
  Data* data = nullptr;
  size_t batch = 0, row = 0, head = 0;  // In elements.
};
using Input = Strided<const void>;
using Output = Strided<void>;

// Broadcast axes have stride 0; the axis of keys is contiguous.
template <typename T>
struct Broadcast {
  T* data = nullptr;  // Null: there is none.
  size_t batch = 0, head = 0, query = 0;
};

struct Sizes {
  size_t batch = 0, queries = 0, keys = 0, heads = 0, kv_heads = 0, head_dim = 0;
};

// Query t stands at position p = keys - queries + t of the keys: the last query sees as far as the last key.
struct Problem {
  Dtype dtype = Dtype::kFloat32;  // Of q, k, v, out and their gradients. All sums are of float32.
  Sizes sizes;
  float scale = 1.0f;
  float soft_cap = 0.0f;  // 0: none.
  bool causal = false;    // Key s is seen from p >= s alone.
  size_t window = 0;      // Key s is seen where |p - s| < window alone; 0: everywhere.
  Broadcast<const bool> mask;  // [batch, heads, queries, keys]: True = may be seen.
  Broadcast<const float> bias;
  // Key s of segment key_segments[b * keys + s] is seen by queries of the same segment alone. Both or neither.
  const int32_t* query_segments = nullptr;
  const int32_t* key_segments = nullptr;
  // P is multiplied by 0 or 1 / (1 - dropout_rate); DropoutKeeps says which.
  float dropout_rate = 0.0f;
  uint32_t seed[2] = {0, 0};

  Input q, k, v;
};

// The logarithm of the sum of exponentials, float32 [batch, heads, queries]; +infinity where no key is seen.
// Throws InvalidArgument for sizes that do not fit together. `lse` may be null.
MMCORE_API void Forward(const Problem& problem, const Output& out, float* lse, Executor& executor,
                        Isa isa = ActiveIsa());

// What multiplies bfloat16 in Forward: "AMX", "pairs" (AVX512-BF16), or "float32".
MMCORE_API const char* Bfloat16Products(Isa isa = ActiveIsa());

// What Backward takes from Forward, and where it writes. Gradients whose data is null are not computed (dq, dk and
// dv together). dbias has the shape of the bias: axes that the bias broadcasts are summed.
struct Gradients {
  Input out, dout;
  const float* lse = nullptr;
  Output dq, dk, dv;
  Broadcast<float> dbias;
};

// The same bits for any number of threads.
MMCORE_API void Backward(const Problem& problem, const Gradients& gradients, Executor& executor,
                         Isa isa = ActiveIsa());

// The same two in loops that say plainly what is computed, with sums of double: the definition.
MMCORE_API void ReferenceForward(const Problem& problem, const Output& out, float* lse);
MMCORE_API void ReferenceBackward(const Problem& problem, const Gradients& gradients);

}  // namespace mmcore::attention

#endif  // MMCORE_CORE_ATTENTION_ATTENTION_H_
