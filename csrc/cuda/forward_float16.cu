#include "cuda/forward.h"

template const char* mmcore::cuda::Forward<mmcore::cuda::Float16>(const Call& call, Stream stream);
