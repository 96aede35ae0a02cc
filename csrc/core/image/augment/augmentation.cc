#include "core/image/augment/augmentation.h"

#include <string>

#include "core/base/buffer.h"
#include "core/base/errors.h"
#include "core/image/augment/boxes.h"
#include "core/image/augment/canvas.h"
#include "core/image/augment/random.h"
#include "core/image/augment/step.h"
#include "core/image/kernels.h"
#include "core/image/sink.h"

namespace mmcore::image {

struct AugmentScratch {
  Canvas canvas;
  Buffer<uint8_t> bytes;  // The resized image, then finished rows.
};

namespace {

constexpr size_t kMaxSteps = 1000;

AugmentScratch& ThreadScratch() {
  static thread_local AugmentScratch scratch;
  return scratch;
}

std::unique_ptr<Step> MakeStep(StepKind kind, AugmentSpecReader& reader) {
  switch (kind) {
    case StepKind::kHorizontalFlip: return MakeHorizontalFlip(reader);
    case StepKind::kColorJitter: return MakeColorJitter(reader);
    case StepKind::kGrayscale: return MakeGrayscale(reader);
    case StepKind::kRandAugment: return MakeRandAugment(reader);
    case StepKind::kRandomErasing: return MakeRandomErasing(reader);
    case StepKind::kRandomResizedCrop: break;
  }
  throw InvalidArgument("a random resized crop must be the first step of an augmentation");
}

void CheckImage(const ImageView& image, size_t i) {
  const auto side = [](size_t n) { return n >= 1 && n <= kMaxSide; };
  if (image.channels == 3 && side(image.height) && side(image.width)) return;
  throw InvalidArgument("image " + std::to_string(i) + " must have 1 to 2^24 rows and columns of 3 channels, got " +
                        std::to_string(image.height) + " x " + std::to_string(image.width) + " x " +
                        std::to_string(image.channels));
}

void CheckBatch(Span<const ImageView> images, Span<const uint64_t> indices, const ResizeOptions& options) {
  if (indices.size() != images.size()) {
    throw InvalidArgument("there must be one index for each image, got " + std::to_string(indices.size()) +
                          " for " + std::to_string(images.size()));
  }
  const auto side = [](size_t n) { return n >= 1 && n <= kMaxSide; };
  if (!side(options.height) || !side(options.width)) {
    throw InvalidArgument("an output size must be 1 to 2^24, got " + std::to_string(options.height) + " x " +
                          std::to_string(options.width));
  }
  for (size_t i = 0; i < images.size(); ++i) CheckImage(images[i], i);
}

}  // namespace

Augmentation::Augmentation(Span<const double> spec) {
  AugmentSpecReader reader(spec);
  reader.Number("version", kAugmentVersion, kAugmentVersion);
  for (uint32_t position = 0; !reader.done(); ++position) {
    if (position >= kMaxSteps) throw InvalidArgument("an augmentation must have at most 1000 steps");
    const auto kind = static_cast<StepKind>(reader.Whole("kind of a step", 1, 6));
    if (kind == StepKind::kRandomResizedCrop && position == 0) {
      crops_ = true;
      scale_ = reader.Ordered("scale", 1e-9, 1);
      ratio_ = reader.Ordered("ratio", 1e-6, 1e6);
    } else {
      steps_.push_back({position, MakeStep(kind, reader)});
    }
  }
}

Augmentation::~Augmentation() = default;

std::vector<ResizeItem> Augmentation::Items(Span<const ImageView> images, Span<const uint64_t> indices,
                                            uint64_t seed, const ResizeOptions& options) const {
  CheckBatch(images, indices, options);
  std::vector<ResizeItem> items(images.size());
  for (size_t i = 0; i < images.size(); ++i) {
    items[i] = WholeImage(images[i], options.height, options.width);
    if (!crops_) continue;
    Stream stream(seed, indices[i], 0);
    const Rectangle box = DrawCrop(stream, images[i].height, images[i].width, scale_, ratio_);
    items[i].box = {static_cast<float>(box.left), static_cast<float>(box.top), static_cast<float>(box.left + box.width),
                    static_cast<float>(box.top + box.height)};
  }
  return items;
}

void Augmentation::Paint(const ResizeItem& item, uint64_t index, uint64_t seed, const ResizeOptions& options,
                         AugmentScratch& scratch) const {
  scratch.bytes.Reserve(options.height * options.width * 3 + kSlack);
  scratch.canvas.Reset(options.height, options.width);
  Resize(item, options, scratch.bytes.data());
  Unpack(scratch.bytes.data(), scratch.canvas);
  for (const Numbered& numbered : steps_) {
    Stream stream(seed, index, numbered.purpose);
    numbered.step->Apply(scratch.canvas, stream, options.isa);
  }
}

void Augmentation::Run(Span<const ImageView> images, Span<const uint64_t> indices, uint64_t seed,
                       const ResizeOptions& options, const Normalization& normalization, const BatchFormat& format,
                       void* out, Executor& executor) const {
  if (normalization.channels != 3) {
    throw InvalidArgument("images are augmented in three channels, mean and std have " +
                          std::to_string(normalization.channels));
  }
  const std::vector<ResizeItem> items = Items(images, indices, seed, options);
  if (steps_.empty()) return ResizeBatch(items, options, normalization, format, out, executor);
  const BatchWriter writer(options, normalization, format);
  executor.ParallelFor(items.size(), [&](size_t i) {
    AugmentScratch& scratch = ThreadScratch();
    Paint(items[i], indices[i], seed, options, scratch);
    uint8_t* image = static_cast<uint8_t*>(out) + i * writer.image_bytes();
    for (size_t y = 0; y < options.height; ++y) {
      Pack(scratch.canvas.row(y), options.width, scratch.bytes.data());
      writer.Write(y, scratch.bytes.data(), image);
    }
  });
}

}  // namespace mmcore::image
