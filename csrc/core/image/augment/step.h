// One step of an augmentation: draws from a stream of its own and changes the canvas.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_STEP_H_
#define MMCORE_CORE_IMAGE_AUGMENT_STEP_H_

#include <memory>

#include "core/base/cpu.h"
#include "core/image/augment/canvas.h"
#include "core/image/augment/random.h"
#include "core/image/augment/spec.h"

namespace mmcore::image {

class Step {
 public:
  virtual ~Step() = default;
  virtual void Apply(Canvas& canvas, Stream& stream, Isa isa) const = 0;
};

// Each reads its numbers. All throw InvalidArgument.
std::unique_ptr<Step> MakeHorizontalFlip(AugmentSpecReader& spec);
std::unique_ptr<Step> MakeColorJitter(AugmentSpecReader& spec);
std::unique_ptr<Step> MakeGrayscale(AugmentSpecReader& spec);
std::unique_ptr<Step> MakeRandAugment(AugmentSpecReader& spec);
std::unique_ptr<Step> MakeRandomErasing(AugmentSpecReader& spec);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_STEP_H_
