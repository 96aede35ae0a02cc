#include "core/base/errors.h"

namespace mmcore {

// Out of line, so that the type information exists once and exceptions are caught across libraries.
InvalidArgument::~InvalidArgument() = default;
LimitError::~LimitError() = default;
DataError::~DataError() = default;

}  // namespace mmcore
