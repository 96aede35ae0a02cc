/* Attention as XLA's custom calls on the platform "CUDA".
 *
 * XLA calls a handler with the stream, the buffers (inputs, then results) and the call's text. Text and inputs are
 * those of the handlers for CPUs (csrc/tf/attention_problem.h), so one call of the graph serves both platforms:
 *
 *   text      decimal integers with one space between two: causal, window, the bits of scale, soft_cap and dropout_rate
 *             as float32; dtype (0: float32, 1: bfloat16, 2: float16), batch, queries, keys, heads, kv_heads, head_dim;
 *             four flags of the mask (is there one; has it the axes batch, heads, queries), the same four of the bias;
 *             are there segment ids, is there a seed
 *   forward   q, k, v [, mask] [, bias] [, query_segments, key_segments] [, seed] -> out, lse
 *   backward  the same, then out, lse, dout -> dq, dk, dv [, dbias]
 *
 * csrc/tf/xla.cc registers them where mmcore is built with this library and TensorFlow sees a GPU.
 */
#ifndef MMCORE_CUDA_XLA_H_
#define MMCORE_CUDA_XLA_H_

#include <stddef.h>

#include "cuda/attention.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a call fail with this message; `status` is what XLA gave the handler. */
typedef void (*MmcoreSetFailure)(void* status, const char* message);
MMCORE_CUDA_API void mmcore_cuda_xla_on_failure(MmcoreSetFailure set_failure);

/* `stream` is a CUstream, which is the same as a cudaStream_t. */
MMCORE_CUDA_API void mmcore_cuda_xla_attention(void* stream, void** buffers, const char* text, size_t size,
                                               void* status);
MMCORE_CUDA_API void mmcore_cuda_xla_attention_grad(void* stream, void** buffers, const char* text, size_t size,
                                                    void* status);

#ifdef __cplusplus
}
#endif

#endif /* MMCORE_CUDA_XLA_H_ */
