// MmcoreTokenize: strings [...] -> ids int32 [..., max_length], mask bool [..., max_length].
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/text/tokenizer.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

// The tokenizer of the specification last seen. The specification is an input and not an attribute because eager
// TensorFlow hashes all attributes at each call: 0.5 ms for a megabyte. A constant keeps its memory while it is
// referred to, so that the same address is the same specification.
class TokenizerSlot {
 public:
  std::shared_ptr<const text::Tokenizer> Get(Tensor spec) {
    if (spec.rank() != 0) throw InvalidArgument("spec must be a scalar, got the shape " + ShapeText(spec.shape()));
    const auto same = [&] { return spec_ && spec_->data<TF_TString>().data() == spec.data<TF_TString>().data(); };
    std::lock_guard<std::mutex> lock(mutex_);
    if (!same()) {
      const std::string_view bytes = spec.Strings()[0];
      tokenizer_ = text::Tokenizer::FromSpec({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
      spec_ = std::move(spec);
    }
    return tokenizer_;
  }

 private:
  std::mutex mutex_;
  std::optional<Tensor> spec_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
};

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
