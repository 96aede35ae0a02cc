#include <array>
#include <utility>

#include "core/image/augment/boxes.h"
#include "core/image/augment/color.h"
#include "core/image/augment/geometry.h"
#include "core/image/augment/step.h"

namespace mmcore::image {
namespace {

constexpr double kMostFactor = 1e6;  // Beyond it, products do not fit into 32 bits.

class HorizontalFlip final : public Step {
 public:
  explicit HorizontalFlip(AugmentSpecReader& spec) : probability_(spec.Probability()) {}
  void Apply(Canvas& canvas, Stream& stream, Isa) const override {
    if (stream.Chance(probability_)) Mirror(canvas);
  }

 private:
  double probability_;
};

class Grayscale final : public Step {
 public:
  explicit Grayscale(AugmentSpecReader& spec) : probability_(spec.Probability()) {}
  void Apply(Canvas& canvas, Stream& stream, Isa isa) const override {
    if (stream.Chance(probability_)) ToGray(canvas, isa);
  }

 private:
  double probability_;
};

// Draws, whatever comes of them: whether, the order of the four (Fisher-Yates from the end), then four factors.
class ColorJitter final : public Step {
 public:
  explicit ColorJitter(AugmentSpecReader& spec)
      : ranges_{spec.Ordered("brightness", 0, kMostFactor), spec.Ordered("contrast", 0, kMostFactor),
                spec.Ordered("saturation", 0, kMostFactor), spec.Ordered("hue", -0.5, 0.5)},
        probability_(spec.Probability()) {}

  void Apply(Canvas& canvas, Stream& stream, Isa isa) const override {
    const bool wanted = stream.Chance(probability_);
    std::array<size_t, 4> order = {0, 1, 2, 3};
    for (size_t i = 3; i > 0; --i) std::swap(order[i], order[stream.Below(i + 1)]);
    std::array<double, 4> factors;
    for (size_t i = 0; i < 4; ++i) factors[i] = stream.Uniform(ranges_[i].low, ranges_[i].high);
    if (!wanted) return;
    for (const size_t i : order) {
      if (!Leaves(i)) kAdjust[i](canvas, factors[i], isa);
    }
  }

 private:
  using Adjust = void (*)(Canvas&, double, Isa);
  static constexpr Adjust kAdjust[] = {AdjustBrightness, AdjustContrast, AdjustSaturation, AdjustHue};

  // The way to hue and back rounds, also when hue does not change.
  bool Leaves(size_t i) const {
    const double same = i == 3 ? 0.0 : 1.0;
    return ranges_[i].low == same && ranges_[i].high == same;
  }

  std::array<Range, 4> ranges_;
  double probability_;
};

// `fill` is a colour, or -1 for noise, which is drawn four bytes a pixel, two pixels a draw, row by row.
class RandomErasing final : public Step {
 public:
  explicit RandomErasing(AugmentSpecReader& spec)
      : probability_(spec.Probability()),
        scale_(spec.Ordered("scale", 0, 1)),
        ratio_(spec.Ordered("ratio", 1e-6, 1e6)),
        fill_(spec.Whole("fill", -1, 0xffffff)) {}

  void Apply(Canvas& canvas, Stream& stream, Isa) const override {
    if (!stream.Chance(probability_)) return;
    const Rectangle box = DrawErasure(stream, canvas.height, canvas.width, scale_, ratio_);
    uint64_t bits = 0;
    bool left = false;
    const auto noise = [&] {
      bits = left ? bits >> 32 : stream.Bits();
      left = !left;
      return static_cast<uint32_t>(bits & 0xffffff);
    };
    for (size_t y = box.top; y < box.top + box.height; ++y) {
      uint32_t* row = canvas.row(y) + box.left;
      for (size_t x = 0; x < box.width; ++x) row[x] = fill_ < 0 ? noise() : static_cast<uint32_t>(fill_);
    }
  }

 private:
  double probability_;
  Range scale_, ratio_;
  int fill_;
};

}  // namespace

std::unique_ptr<Step> MakeHorizontalFlip(AugmentSpecReader& spec) {
  return std::make_unique<HorizontalFlip>(spec);
}

std::unique_ptr<Step> MakeColorJitter(AugmentSpecReader& spec) {
  return std::make_unique<ColorJitter>(spec);
}

std::unique_ptr<Step> MakeGrayscale(AugmentSpecReader& spec) {
  return std::make_unique<Grayscale>(spec);
}

std::unique_ptr<Step> MakeRandomErasing(AugmentSpecReader& spec) {
  return std::make_unique<RandomErasing>(spec);
}

}  // namespace mmcore::image
