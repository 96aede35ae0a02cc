// XLA's registry of custom calls, found at run time: the library loads where there is none, and on any version of
// TensorFlow. Nothing here is declared by a header of TensorFlow's.
#ifndef MMCORE_TF_XLA_H_
#define MMCORE_TF_XLA_H_

#include <cstddef>
#include <string>

namespace mmcore::tf {

// A handler for CPUs: with several results `out` points to their buffers. The config is the call's text.
using XlaHandler = void (*)(void** out, const void** in, const char* config, size_t config_size, void* status);

// Registers handlers. Returns why that is impossible, or an empty string.
std::string RegisterXlaHandlers() noexcept;

// The same for GPUs, by the library of csrc/cuda at `path`.
std::string RegisterCudaHandlers(const char* path) noexcept;

// Makes the call fail with this message; for handlers, while RegisterXlaHandlers() was successful.
void SetXlaFailure(void* status, const char* message) noexcept;

// The handlers, each of its own file.
void XlaAttention(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept;
void XlaAttentionGrad(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept;
void XlaNorm(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept;
void XlaNormGrad(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept;
void XlaSumOfSquares(void** out, const void** in, const char* config, size_t config_size, void* status) noexcept;

}  // namespace mmcore::tf

#endif  // MMCORE_TF_XLA_H_
