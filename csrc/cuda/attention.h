/* Attention on a GPU: the C interface of mmcore/_cuda.so. What is computed is stated in core/attention/attention.h,
 * whose Problem and Gradients this structure repeats in plain C; all pointers are of device memory.
 *
 * Not computed: heads wider than 128 numbers. What stands at places that are masked out must be finite: 0 x NaN is NaN.
 */
#ifndef MMCORE_CUDA_ATTENTION_H_
#define MMCORE_CUDA_ATTENTION_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MMCORE_CUDA_API __attribute__((visibility("default")))
#else
#define MMCORE_CUDA_API
#endif

enum { MMCORE_FLOAT32 = 0, MMCORE_BFLOAT16 = 1, MMCORE_FLOAT16 = 2 };

/* [batch, rows, heads, head_dim]: element (b, t, h, d) is data[b * batch + t * row + h * head + d]. */
typedef struct {
  void* data;
  int64_t batch, row, head; /* In elements. */
} MmcoreTensor;

/* [batch, heads, queries, keys]: broadcast axes have stride 0, the axis of keys is contiguous. Null: there is none. */
typedef struct {
  void* data;
  int64_t batch, head, query; /* In elements. */
} MmcoreBroadcast;

typedef struct {
  int32_t dtype; /* Of q, k, v, out and their gradients. All sums are of float32. */
  int32_t batch, queries, keys, heads, kv_heads, head_dim;
  float scale, soft_cap; /* soft_cap 0: none. */
  int32_t causal;
  int32_t window; /* 0: none. */
  float dropout_rate;
  uint32_t seed[2];
  const uint32_t* device_seed; /* Two words; where it is not null, `seed` is not read. */
  const int32_t* query_segments; /* [batch, queries]; both or neither. */
  const int32_t* key_segments;   /* [batch, keys] */
  MmcoreBroadcast mask;          /* Of bytes: 0 = may not be seen. */
  MmcoreBroadcast bias;          /* Of float32. */
  MmcoreTensor q, k, v;
  MmcoreTensor out; /* Forward writes it, backward reads it. */
  float* lse;       /* [batch, heads, queries], likewise; forward takes null. +infinity where no key is seen. */

  /* Of the backward pass alone. */
  MmcoreTensor dout;
  MmcoreTensor dq, dk, dv; /* All three or none. */
  MmcoreBroadcast dbias;   /* Of float32; null: not computed. Summed over the axes in which its stride is 0. */
  float* delta;            /* [batch, heads, queries]: room to work in. */
} MmcoreAttention;

/* Queue the kernels on the stream (a cudaStream_t) and return. Null where that went well, else a sentence that says
 * why not, which stands until the thread's next call. The same bits in every run on the same kind of GPU. */
MMCORE_CUDA_API const char* mmcore_cuda_attention_forward(const MmcoreAttention* problem, void* stream);
MMCORE_CUDA_API const char* mmcore_cuda_attention_backward(const MmcoreAttention* problem, void* stream);

/* sizeof(MmcoreAttention), for callers who write the structure down in another language. */
MMCORE_CUDA_API size_t mmcore_cuda_attention_size(void);

#ifdef __cplusplus
}
#endif

#endif /* MMCORE_CUDA_ATTENTION_H_ */
