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

// XLA's registry, where this process has one that we understand.
class Registry {
 public:
  Registry() {
    void* library = Library();
    if (library == nullptr) {
      error_ = "libtensorflow_cc, which holds XLA, is not loaded in this process";
      return;
    }
    global_ = Find<Global>(library, kGlobal);
    add_ = Find<Register>(library, kRegister);
    const auto message = Find<Message>(library, kMessage);
    if (global_ == nullptr || add_ == nullptr || message == nullptr) {
      error_ = "this TensorFlow does not export XLA's registry of custom calls";
    } else if (!StatusIsAsDeclared(message)) {
      error_ = "this TensorFlow's XLA reports failures in a way that mmcore does not know";
    }
  }

  // Why nothing can be registered, or empty.
  const std::string& error() const { return error_; }
  void Add(const char* name, void* handler, const char* platform) const { add_(global_(), name, handler, platform); }

 private:
  std::string error_;
  Global global_ = nullptr;
  Register add_ = nullptr;
};

std::string RegisterForCpus() {
  const Registry registry;
  if (!registry.error().empty()) return registry.error();
  const auto add = [&](const char* name, XlaHandler handler) {
    registry.Add(name, reinterpret_cast<void*>(handler), "Host");
  };
  add("mmcore_attention_1", &XlaAttention);
  add("mmcore_attention_grad_1", &XlaAttentionGrad);
  add("mmcore_norm_1", &XlaNorm);
  add("mmcore_norm_grad_1", &XlaNormGrad);
  add("mmcore_sum_of_squares_1", &XlaSumOfSquares);
  return "";
}

// The handlers of csrc/cuda/xla.h, in the library at `path`, which stays loaded.
std::string RegisterForGpus(const char* path) {
  const Registry registry;
  if (!registry.error().empty()) return registry.error();
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return std::string("mmcore's GPU kernels do not load: ") + (reason == nullptr ? path : reason);
  }
  using OnFailure = void (*)(void (*)(void*, const char*));
  const auto on_failure = Find<OnFailure>(library, "mmcore_cuda_xla_on_failure");
  void* forward = dlsym(library, "mmcore_cuda_xla_attention");
  void* backward = dlsym(library, "mmcore_cuda_xla_attention_grad");
  if (on_failure == nullptr || forward == nullptr || backward == nullptr) {
    return std::string(path) + " holds no GPU kernels of this version of mmcore; build it again with MMCORE_CUDA=1";
  }
  on_failure(&SetXlaFailure);
  registry.Add("mmcore_attention_1", forward, "CUDA");
  registry.Add("mmcore_attention_grad_1", backward, "CUDA");
  return "";
}

template <typename Function>
std::string Tried(const Function& function) noexcept {
  try {
    return function();
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

std::string RegisterXlaHandlers() noexcept { return Tried(RegisterForCpus); }

std::string RegisterCudaHandlers(const char* path) noexcept {
  return Tried([&] { return RegisterForGpus(path); });
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

// The same for GPUs, with the kernels of the library at `path`: what the first call found.
extern "C" MMCORE_API const char* MmcoreCudaError(const char* path) {
  static const std::string error = mmcore::tf::RegisterCudaHandlers(path);
  return error.c_str();
}
