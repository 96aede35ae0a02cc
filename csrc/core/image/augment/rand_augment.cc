#include <vector>

#include "core/image/augment/operations.h"
#include "core/image/augment/step.h"

namespace mmcore::image {
namespace {

// For each operation two draws: which, and the sign.
class RandAugment final : public Step {
 public:
  explicit RandAugment(AugmentSpecReader& spec)
      : num_ops_(spec.Whole("num_ops", 0, 100)),
        share_(spec.Number("magnitude", 0, 1)),
        fill_(static_cast<uint32_t>(spec.Whole("fill", 0, 0xffffff))) {
    const int chosen = spec.Whole("operations", 1, (1 << kNumRandAugment) - 1);  // A bit for each.
    for (int i = 0; i < kNumRandAugment; ++i) {
      if ((chosen >> i & 1) != 0) operations_.push_back(static_cast<Operation>(i));
    }
  }

  void Apply(Canvas& canvas, Stream& stream, Isa isa) const override {
    for (int i = 0; i < num_ops_; ++i) {
      const Operation operation = operations_[stream.Below(operations_.size())];
      const bool mirrored = stream.Chance(0.5);
      const double value = ValueOf(operation, share_, mirrored, canvas.height, canvas.width);
      ApplyOperation(operation, value, fill_, canvas, isa);
    }
  }

 private:
  int num_ops_;
  double share_;
  uint32_t fill_;
  std::vector<Operation> operations_;
};

}  // namespace

std::unique_ptr<Step> MakeRandAugment(AugmentSpecReader& spec) {
  return std::make_unique<RandAugment>(spec);
}

}  // namespace mmcore::image
