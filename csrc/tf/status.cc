#include "tf/status.h"

#include <new>

#include "core/base/errors.h"

namespace mmcore::tf {

void StoreCurrentException(TF_Status* status) noexcept {
  try {
    throw;
  } catch (const StatusError& e) {
    TF_SetStatus(status, e.code(), e.what());
  } catch (const LimitError& e) {  // An InvalidArgument too: first.
    TF_SetStatus(status, TSL_RESOURCE_EXHAUSTED, e.what());
  } catch (const InvalidArgument& e) {
    TF_SetStatus(status, TSL_INVALID_ARGUMENT, e.what());
  } catch (const DataError& e) {
    TF_SetStatus(status, TSL_DATA_LOSS, e.what());
  } catch (const std::bad_alloc&) {
    TF_SetStatus(status, TSL_RESOURCE_EXHAUSTED, "out of memory; make the batch smaller");
  } catch (const std::exception& e) {
    TF_SetStatus(status, TSL_INTERNAL, e.what());
  } catch (...) {
    TF_SetStatus(status, TSL_INTERNAL, "an exception of unknown type");
  }
}

}  // namespace mmcore::tf
