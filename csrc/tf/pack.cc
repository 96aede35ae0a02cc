// MmcorePack: values [N, E] in sequences -> rows [R, L, E], segment_ids and positions [R, L], places [B, 2].
#include <cstring>

#include "core/base/errors.h"
#include "core/packing/pack.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

size_t ElementBytes(TF_DataType dtype) {
  switch (dtype) {
    case TF_UINT8:
      return 1;
    case TF_BFLOAT16:
    case TF_HALF:
      return 2;
    case TF_INT64:
      return 8;
    default:
      return 4;
  }
}

class PackKernel {
 public:
  explicit PackKernel(const Attributes& attributes)
      : dtype_(attributes.Type("T")),
        options_{Size(attributes, "length"), Size(attributes, "rows"), Size(attributes, "max_segments"),
                 attributes.Bool("longest_first"), attributes.Bool("truncate")} {}

  void Compute(const Run& run) const {
    const Tensor values = run.Input(0), splits = run.Input(1);
    if (values.rank() != 2 || splits.rank() != 1) {
      throw InvalidArgument("values must be [N, E] and row_splits [B + 1], got " + ShapeText(values.shape()) + " and " +
                            ShapeText(splits.shape()));
    }
    const auto row_splits = splits.data<const int64_t>();
    const auto plan = packing::MakePlan(row_splits, static_cast<size_t>(values.shape()[0]), options_);
    const Shape shape = {static_cast<int64_t>(plan.rows), static_cast<int64_t>(options_.length)};
    const Tensor packed = run.Output(0, dtype_, {shape[0], shape[1], values.shape()[1]});
    const Tensor segment_ids = run.Output(1, TF_INT32, shape), positions = run.Output(2, TF_INT32, shape);
    const Tensor places = run.Output(3, TF_INT32, {static_cast<int64_t>(plan.places.size()), 2});
    const size_t element_bytes = ElementBytes(dtype_) * static_cast<size_t>(values.shape()[1]);
    packing::Write(plan, row_splits, options_.length, values.data<const char>().data(), element_bytes,
                   {packed.data<char>().data(), segment_ids.data<int32_t>().data(), positions.data<int32_t>().data()});
    if (!plan.places.empty()) {
      std::memcpy(places.data<int32_t>().data(), plan.places.data(), plan.places.size() * sizeof(packing::Place));
    }
  }

 private:
  // A negative number becomes one that MakePlan refuses.
  static size_t Size(const Attributes& attributes, const char* name) {
    return static_cast<size_t>(attributes.Int(name));
  }

  const TF_DataType dtype_;
  const packing::Options options_;
};

void InferPack(const Shapes& shapes) {
  shapes.CheckRank(0, 2, 2);
  shapes.CheckRank(1, 1, 1);
  shapes.SetOutput(0, 1, 1, {Shapes::kUnknown, Shapes::kUnknown, Shapes::kUnknown});
  shapes.SetOutput(1, 1, 1, {Shapes::kUnknown, Shapes::kUnknown});
  shapes.SetOutput(2, 1, 1, {Shapes::kUnknown, Shapes::kUnknown});
  shapes.SetOutput(3, 1, 1, {Shapes::kUnknown, 2});
}

}  // namespace

void RegisterPack() {
  Register<PackKernel, InferPack>({"MmcorePack",
                                   {"values: T", "row_splits: int64"},
                                   {"T: {int32, int64, float, bfloat16, half, uint8}", "length: int", "rows: int = 0",
                                    "max_segments: int = 0", "longest_first: bool = false", "truncate: bool = false"},
                                   {"packed: T", "segment_ids: int32", "positions: int32", "places: int32"}});
}

}  // namespace mmcore::tf
