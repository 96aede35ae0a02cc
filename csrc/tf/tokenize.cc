// MmcoreTokenize: strings [...] -> ids int32 [..., max_length], mask bool [..., max_length].
#include <string>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/text/tokenizer.h"
#include "tf/ops.h"
#include "tf/registration.h"
#include "tf/tokenizer_slot.h"

namespace mmcore::tf {
namespace {

text::SpecialText ReadSpecial(const std::string& name) {
  if (name == "parse") return text::SpecialText::kParse;
  return name == "text" ? text::SpecialText::kText : text::SpecialText::kError;
}

class TokenizeKernel {
 public:
  explicit TokenizeKernel(const Attributes& attributes) : max_length_(attributes.Int("max_length")) {
    if (max_length_ < 1) throw InvalidArgument("max_length must be at least 1, got " + std::to_string(max_length_));
    options_.add_special = attributes.Bool("add_special");
    options_.truncate = attributes.Bool("truncate");
    options_.special = ReadSpecial(attributes.String("special"));
  }

  void Compute(const Run& run) const {
    const auto tokenizer = slot_.Get(run.Input(0));
    const Tensor strings = run.Input(1);
    Shape shape = strings.shape();
    shape.push_back(max_length_);
    const Tensor ids = run.Output(0, TF_INT32, shape), mask = run.Output(1, TF_BOOL, shape);
    PoolExecutor executor;
    tokenizer->EncodePadded(strings.Strings(), options_, executor,
                            {ids.data<int32_t>().data(), mask.data<bool>().data(), static_cast<size_t>(max_length_)});
  }

 private:
  int64_t max_length_;
  text::EncodeOptions options_;
  mutable TokenizerSlot slot_;
};

void InferTokenize(const Shapes& shapes) {
  shapes.CheckRank(0, 0, 0);
  shapes.SetOutput(0, 1, 0, {Shapes::kUnknown});
  shapes.SetOutput(1, 1, 0, {Shapes::kUnknown});
}

}  // namespace

void RegisterTokenize() {
  Register<TokenizeKernel, InferTokenize>({"MmcoreTokenize",
                                           {"spec: string", "strings: string"},
                                           {"max_length: int", "add_special: bool = true", "truncate: bool = true",
                                            "special: {'parse', 'text', 'error'} = 'parse'"},
                                           {"ids: int32", "mask: bool"}});
}

}  // namespace mmcore::tf
