// Where C++ exceptions and TensorFlow's statuses meet: neither crosses the boundary as itself.
#ifndef MMCORE_TF_STATUS_H_
#define MMCORE_TF_STATUS_H_

#include <stdexcept>
#include <string>

#include "tf/c_api.h"

namespace mmcore::tf {

// A status that TensorFlow returned, as an exception on its way back to TensorFlow.
class StatusError : public std::runtime_error {
 public:
  StatusError(TF_Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  TF_Code code() const { return code_; }

 private:
  TF_Code code_;
};

// Owns a TF_Status. Every call of the C API that takes one is followed by Check().
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  operator TF_Status*() { return status_; }

  // Throws StatusError where the last call failed.
  void Check() const {
    if (TF_GetCode(status_) != TSL_OK) throw StatusError(TF_GetCode(status_), TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

// Stores the exception being handled in `status`, with the same sentence. Call it inside a catch block only.
void StoreCurrentException(TF_Status* status) noexcept;

// Calls body(); True when it returned, False when it threw, and then the exception is in `status`.
template <typename Body>
bool Guarded(TF_Status* status, Body&& body) noexcept {
  try {
    body();
    return true;
  } catch (...) {
    StoreCurrentException(status);
    return false;
  }
}

}  // namespace mmcore::tf

#endif  // MMCORE_TF_STATUS_H_
