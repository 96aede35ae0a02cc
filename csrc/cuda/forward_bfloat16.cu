#include "cuda/forward.h"

template const char* mmcore::cuda::Forward<mmcore::cuda::Bfloat16>(const Call& call, Stream stream);
