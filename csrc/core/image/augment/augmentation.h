// Random crop, resize, changes of the picture and normalisation of a batch: an image's result depends on the seed and
// on its own index alone.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_AUGMENTATION_H_
#define MMCORE_CORE_IMAGE_AUGMENT_AUGMENTATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/api.h"
#include "core/base/executor.h"
#include "core/base/span.h"
#include "core/image/augment/spec.h"
#include "core/image/resize.h"

namespace mmcore::image {

class Step;
struct AugmentScratch;

class MMCORE_API Augmentation {
 public:
  // Throws InvalidArgument for a specification that is not as spec.h says.
  explicit Augmentation(Span<const double> spec);
  ~Augmentation();
  Augmentation(const Augmentation&) = delete;
  Augmentation& operator=(const Augmentation&) = delete;

  // Image i goes to the i-th part of `out`, as ResizeBatch writes it. Throws InvalidArgument naming its place in the
  // batch before anything is written.
  void Run(Span<const ImageView> images, Span<const uint64_t> indices, uint64_t seed, const ResizeOptions& options,
           const Normalization& normalization, const BatchFormat& format, void* out, Executor& executor) const;

 private:
  struct Numbered {
    uint32_t purpose;  // Its position among all steps.
    std::unique_ptr<Step> step;
  };

  std::vector<ResizeItem> Items(Span<const ImageView> images, Span<const uint64_t> indices, uint64_t seed,
                                const ResizeOptions& options) const;
  void Paint(const ResizeItem& item, uint64_t index, uint64_t seed, const ResizeOptions& options,
             AugmentScratch& scratch) const;

  bool crops_ = false;
  Range scale_{};
  Range ratio_{};
  std::vector<Numbered> steps_;
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_AUGMENTATION_H_
