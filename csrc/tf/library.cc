// Registers every op when the library is loaded. tf.load_op_library collects the ops that a library registers
// from its static initialisers; it has no other entry.
#include <string>

#include "core/base/api.h"
#include "tf/ops.h"
#include "tf/status.h"

namespace mmcore::tf {
namespace {

// Empty, or why an op could not be registered: TensorFlow reports nothing of it, and nothing may be thrown here.
std::string RegisterAll() noexcept {
  Status status;
  const bool done = Guarded(status, [] {
    RegisterTokenize();
    RegisterDetokenize();
    RegisterResizeNormalize();
    RegisterImageHeader();
    RegisterImagePatches();
    RegisterDecodePixels();
    RegisterUpright();
    RegisterAugment();
    RegisterMix();
    RegisterAttention();
    RegisterNorm();
    RegisterSumOfSquares();
    RegisterPack();
  });
  return done ? "" : TF_Message(status);
}

const std::string registration_error = RegisterAll();

}  // namespace
}  // namespace mmcore::tf

// Why registration failed, or an empty string. mmcore/_load.py asks after loading.
extern "C" MMCORE_API const char* MmcoreRegistrationError() { return mmcore::tf::registration_error.c_str(); }
