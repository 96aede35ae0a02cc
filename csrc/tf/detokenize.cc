// MmcoreDetokenize: ids [..., T] and a mask -> strings [...]; MmcoreDetokenizeRagged: ids [N] in rows -> strings [B].
#include <string>
#include <string_view>

#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/text/decode/rows.h"
#include "tf/ops.h"
#include "tf/registration.h"
#include "tf/tokenizer_slot.h"

namespace mmcore::tf {
namespace {

// Rows without ids cost memory all the same, 24 bytes each, and need none in the input to be asked for.
constexpr size_t kMaxEmptyRows = size_t{1} << 24;

template <typename Id>
void Decode(const text::Tokenizer& tokenizer, const text::IdRows<Id>& rows, bool skip_special, const Tensor& out) {
  const Span<TF_TString> strings = out.data<TF_TString>();
  PoolExecutor executor;
  text::DecodeRows(tokenizer, rows, skip_special, executor,
                   [&](size_t row, std::string_view text) { AssignNew(strings[row], text); });
}

Shape WithoutLast(Shape shape) {
  if (shape.empty()) throw InvalidArgument("ids must have at least one axis, got a scalar");
  shape.pop_back();
  return shape;
}

// What both kernels have in common.
class Detokenizer {
 public:
  explicit Detokenizer(const Attributes& attributes)
      : is_long_(attributes.Type("T") == TF_INT64), skip_special_(attributes.Bool("skip_special")) {}

 protected:
  bool is_long_, skip_special_;
  mutable TokenizerSlot slot_;
};

class DetokenizeKernel : public Detokenizer {
 public:
  using Detokenizer::Detokenizer;

  void Compute(const Run& run) const {
    const auto tokenizer = slot_.Get(run.Input(0));
    const Tensor ids = run.Input(1), mask = run.Input(2);
    if (mask.rank() != 0 && mask.shape() != ids.shape()) {
      throw InvalidArgument("mask must have the shape of ids, " + ShapeText(ids.shape()) + ", or be a scalar, got " +
                            ShapeText(mask.shape()));
    }
    const Shape shape = WithoutLast(ids.shape());
    if (ids.size() == 0) CheckEmptyRows(shape);
    const Tensor out = run.Output(0, TF_STRING, shape);
    is_long_ ? DecodeAs<int64_t>(*tokenizer, ids, mask, out) : DecodeAs<int32_t>(*tokenizer, ids, mask, out);
  }

 private:
  static void CheckEmptyRows(const Shape& shape) {
    size_t rows = 1;
    for (const int64_t axis : shape) {
      const auto length = static_cast<size_t>(axis);
      if (length == 0) return;
      if (rows > kMaxEmptyRows / length) {
        throw LimitError("ids without elements would make more than 16 million empty strings, of shape " +
                         ShapeText(shape));
      }
      rows *= length;
    }
  }

  template <typename Id>
  void DecodeAs(const text::Tokenizer& tokenizer, const Tensor& ids, const Tensor& mask, const Tensor& out) const {
    text::IdRows<Id> rows;
    rows.ids = ids.data<const Id>();
    rows.num_rows = out.size();
    rows.width = static_cast<size_t>(ids.shape().back());
    if (mask.rank() != 0) {
      rows.mask = mask.data<const bool>().data();
    } else if (!mask.data<const bool>()[0]) {
      return;  // Nothing counts: the new strings are empty as they are.
    }
    Decode(tokenizer, rows, skip_special_, out);
  }
};

class DetokenizeRaggedKernel : public Detokenizer {
 public:
  using Detokenizer::Detokenizer;

  void Compute(const Run& run) const {
    const auto tokenizer = slot_.Get(run.Input(0));
    const Tensor ids = run.Input(1), splits = run.Input(2);
    if (ids.rank() != 1 || splits.rank() != 1 || splits.size() == 0) {
      throw InvalidArgument("values and row_splits must be vectors, row_splits of at least one element, got " +
                            ShapeText(ids.shape()) + " and " + ShapeText(splits.shape()));
    }
    const Tensor out = run.Output(0, TF_STRING, {splits.shape()[0] - 1});
    is_long_ ? DecodeAs<int64_t>(*tokenizer, ids, splits, out) : DecodeAs<int32_t>(*tokenizer, ids, splits, out);
  }

 private:
  template <typename Id>
  void DecodeAs(const text::Tokenizer& tokenizer, const Tensor& ids, const Tensor& splits, const Tensor& out) const {
    text::IdRows<Id> rows;
    rows.ids = ids.data<const Id>();
    rows.row_splits = splits.data<const int64_t>();
    rows.num_rows = out.size();
    Decode(tokenizer, rows, skip_special_, out);
  }
};

void InferDetokenize(const Shapes& shapes) {
  shapes.CheckRank(0, 0, 0);
  shapes.CheckRank(1, 1, 254);
  shapes.SetOutput(0, 1, 1, {});
}

void InferDetokenizeRagged(const Shapes& shapes) {
  shapes.CheckRank(0, 0, 0);
  shapes.CheckRank(1, 1, 1);
  shapes.CheckRank(2, 1, 1);
  shapes.SetOutput(0, 2, 1, {Shapes::kUnknown});
}

}  // namespace

void RegisterDetokenize() {
  Register<DetokenizeKernel, InferDetokenize>({"MmcoreDetokenize",
                                               {"spec: string", "ids: T", "mask: bool"},
                                               {"T: {int32, int64}", "skip_special: bool = true"},
                                               {"strings: string"}});
  Register<DetokenizeRaggedKernel, InferDetokenizeRagged>({"MmcoreDetokenizeRagged",
                                                           {"spec: string", "ids: T", "row_splits: int64"},
                                                           {"T: {int32, int64}", "skip_special: bool = true"},
                                                           {"strings: string"}});
}

}  // namespace mmcore::tf
