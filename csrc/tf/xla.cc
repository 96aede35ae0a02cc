#include "tf/xla.h"

#include <dlfcn.h>

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/api.h"

namespace mmcore::tf {
namespace {

// What stands behind XLA's pointer: a message means failure. RegisterXlaHandlers() verifies the layout.
struct XlaStatus {
  std::optional<std::string> message;
};

// Functions and member functions of namespace xla, under the names that GCC and Clang give them on Linux.
constexpr char kGlobal[] = "_ZN3xla24CustomCallTargetRegistry6GlobalEv";
constexpr char kRegister[] =
    "_ZN3xla24CustomCallTargetRegistry8RegisterERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEPvS8_";
constexpr char kMessage[] = "_ZN3xla26CustomCallStatusGetMessageEPK20XlaCustomCallStatus_";
using Global = void* (*)();
using Register = void (*)(void* registry, const std::string& name, void* address, const std::string& platform);
using Message = std::optional<std::string_view> (*)(const XlaStatus*);

// XLA's library where this process has it already; it is never loaded here.
void* Library() {
  for (const char* name : {"libtensorflow_cc.so.2", "libtensorflow_cc.2.dylib"}) {
    if (void* library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD)) return library;
  }
  return nullptr;
}

template <typename Function>
Function Find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

// True where XLA reads the message that we put into a status, and reads none in an empty one.
bool StatusIsAsDeclared(Message message) {
  const XlaStatus empty, failed{"as declared"};
  return !message(&empty).has_value() && message(&failed) == std::string_view("as declared");
}

std::string TryToRegister() {
  void* library = Library();
  if (library == nullptr) return "libtensorflow_cc, which holds XLA, is not loaded in this process";
  const auto global = Find<Global>(library, kGlobal);
  const auto add = Find<Register>(library, kRegister);
  const auto message = Find<Message>(library, kMessage);
  if (global == nullptr || add == nullptr || message == nullptr) {
    return "this TensorFlow does not export XLA's registry of custom calls";
  }
  if (!StatusIsAsDeclared(message)) return "this TensorFlow's XLA reports failures in a way that mmcore does not know";
  const auto address = [](XlaHandler handler) { return reinterpret_cast<void*>(handler); };
  add(global(), "mmcore_attention_1", address(&XlaAttention), "Host");
  add(global(), "mmcore_attention_grad_1", address(&XlaAttentionGrad), "Host");
  add(global(), "mmcore_norm_1", address(&XlaNorm), "Host");
  add(global(), "mmcore_norm_grad_1", address(&XlaNormGrad), "Host");
  add(global(), "mmcore_sum_of_squares_1", address(&XlaSumOfSquares), "Host");
  return "";
}

}  // namespace

std::string RegisterXlaHandlers() noexcept {
  try {
    return TryToRegister();
  } catch (const std::exception& error) {
    return error.what();
  }
}

void SetXlaFailure(void* status, const char* message) noexcept {
  try {
    static_cast<XlaStatus*>(status)->message = message;
  } catch (const std::exception&) {
    static_cast<XlaStatus*>(status)->message = std::string();  // Allocates nothing.
  }
}

}  // namespace mmcore::tf

// Why jitted functions cannot call mmcore's kernels, or an empty string. Registers them when first asked.
extern "C" MMCORE_API const char* MmcoreXlaError() {
  static const std::string error = mmcore::tf::RegisterXlaHandlers();
  return error.c_str();
}
