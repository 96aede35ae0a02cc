#include "cuda/backward_bias.h"
#include "cuda/backward_keys.h"
#include "cuda/backward_queries.h"
#include "cuda/delta.h"

template const char* mmcore::cuda::Delta<mmcore::cuda::Bfloat16>(const Call& call, Stream stream);
template const char* mmcore::cuda::KeyGradients<mmcore::cuda::Bfloat16>(const Call& call, Stream stream);
template const char* mmcore::cuda::QueryGradients<mmcore::cuda::Bfloat16>(const Call& call, Stream stream);
template const char* mmcore::cuda::BiasGradient<mmcore::cuda::Bfloat16>(const Call& call, Stream stream);
