#include "tf/tokenizer_slot.h"

#include <string_view>
#include <utility>

#include "core/base/errors.h"

namespace mmcore::tf {

std::shared_ptr<const text::Tokenizer> TokenizerSlot::Get(Tensor spec) {
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

}  // namespace mmcore::tf
