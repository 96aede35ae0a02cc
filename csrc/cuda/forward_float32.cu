#include "cuda/forward.h"

template const char* mmcore::cuda::Forward<float>(const Call& call, Stream stream);
