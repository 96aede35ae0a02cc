#include "cuda/backward_bias.h"
#include "cuda/backward_keys.h"
#include "cuda/backward_queries.h"
#include "cuda/delta.h"

template const char* mmcore::cuda::Delta<float>(const Call& call, Stream stream);
template const char* mmcore::cuda::KeyGradients<float>(const Call& call, Stream stream);
template const char* mmcore::cuda::QueryGradients<float>(const Call& call, Stream stream);
template const char* mmcore::cuda::BiasGradient<float>(const Call& call, Stream stream);
