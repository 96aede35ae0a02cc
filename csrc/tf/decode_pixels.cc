// MmcoreDecodePixels: a GIF or BMP file -> uint8 [height, width, channels]; and MmcoreUpright, which turns decoded
// pixels upright, puts them over a background and repeats grey.
#include <algorithm>
#include <array>
#include <string>

#include "core/base/buffer.h"
#include "core/base/errors.h"
#include "core/image/file/header.h"
#include "core/image/file/pixels.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

class DecodePixelsKernel {
 public:
  explicit DecodePixelsKernel(const Attributes& attributes)
      : channels_(attributes.Int("channels")), max_pixels_(attributes.Int("max_pixels")) {
    if ((channels_ != 3 && channels_ != 4) || max_pixels_ < 0) {
      throw InvalidArgument("channels must be 3 or 4 and max_pixels not negative, got " + std::to_string(channels_) +
                            " and " + std::to_string(max_pixels_));
    }
  }

  void Compute(const Run& run) const {
    const Tensor contents = run.Input(0), key = run.Input(1);
    if (contents.rank() != 0 || key.rank() != 0) {
      throw InvalidArgument("contents and key must be one string each, got shapes " + ShapeText(contents.shape()) +
                            " and " + ShapeText(key.shape()));
    }
    const std::string_view bytes = View(contents.data<const TF_TString>()[0]);
    const Span<const uint8_t> file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    try {
      const image::FileHeader header = image::ReadHeader(file);
      if (!image::IsDecodedHere(header.format)) throw InvalidArgument("contents must be a GIF or BMP file");
      image::CheckCost(file, header, static_cast<uint64_t>(max_pixels_));
      const Tensor out = run.Output(
          0, TF_UINT8, {static_cast<int64_t>(header.height), static_cast<int64_t>(header.width), channels_});
      image::DecodePixels(file, header, static_cast<size_t>(channels_), out.data<uint8_t>().data());
    } catch (const DataError& error) {
      throw DataError(std::string(View(key.data<const TF_TString>()[0])) + ": " + error.what());
    }
  }

 private:
  const int64_t channels_, max_pixels_;
};

void InferDecodePixels(const Shapes& shapes) {
  shapes.CheckRank(0, 0, 0);
  shapes.CheckRank(1, 0, 0);
  shapes.SetOutput(0, 0, 0, {Shapes::kUnknown, Shapes::kUnknown, Shapes::kUnknown});
}

class UprightKernel {
 public:
  explicit UprightKernel(const Attributes& attributes) {
    const std::string background = attributes.String("background");
    if (background.size() != 3) {
      throw InvalidArgument("background must be 3 bytes, got " + std::to_string(background.size()));
    }
    for (size_t c = 0; c < 3; ++c) background_[c] = static_cast<uint8_t>(background[c]);
  }

  void Compute(const Run& run) const {
    const Tensor pixels = run.Input(0), orientation = run.Input(1);
    const Shape& shape = pixels.shape();
    if (pixels.rank() != 3 || (shape[2] != 1 && shape[2] != 3 && shape[2] != 4) || orientation.rank() != 0) {
      throw InvalidArgument("pixels must be uint8 [height, width, 1, 3 or 4] and orientation one number, got shapes " +
                            ShapeText(shape) + " and " + ShapeText(orientation.shape()));
    }
    const int32_t turn = orientation.data<const int32_t>()[0];
    const bool turns = turn >= 2 && turn <= 8;
    if (!turns && shape[2] == 3) return run.SetOutput(0, pixels);
    const bool swaps = turns && turn >= 5;
    const Tensor out = run.Output(0, TF_UINT8, {shape[swaps ? 1 : 0], shape[swaps ? 0 : 1], 3});
    Write(pixels, turn, out.data<uint8_t>().data());
  }

 private:
  void Write(const Tensor& pixels, int32_t orientation, uint8_t* out) const {
    const auto height = static_cast<size_t>(pixels.shape()[0]), width = static_cast<size_t>(pixels.shape()[1]);
    const Span<const uint8_t> bytes = pixels.data<const uint8_t>();
    const uint8_t* rgb = bytes.data();
    Buffer<uint8_t> composed;
    if (pixels.shape()[2] == 4) {
      composed.Reserve(3 * height * width);
      image::Compose(bytes, background_, composed.data());
      rgb = composed.data();
    } else if (pixels.shape()[2] == 1) {
      composed.Reserve(3 * height * width);
      for (size_t i = 0; i < height * width; ++i) std::fill_n(composed.data() + 3 * i, 3, bytes[i]);
      rgb = composed.data();
    }
    image::Orient({rgb, height, width, 3, 3 * width}, orientation, out);
  }

  std::array<uint8_t, 3> background_{};
};

void InferUpright(const Shapes& shapes) {
  shapes.CheckRank(0, 3, 3);
  shapes.CheckRank(1, 0, 0);
  shapes.SetOutput(0, 0, 3, {Shapes::kUnknown, Shapes::kUnknown, 3});
}

}  // namespace

void RegisterDecodePixels() {
  Register<DecodePixelsKernel, InferDecodePixels>(
      {"MmcoreDecodePixels", {"contents: string", "key: string"}, {"channels: int", "max_pixels: int"}, {"pixels: uint8"}});
}

void RegisterUpright() {
  Register<UprightKernel, InferUpright>(
      {"MmcoreUpright", {"pixels: uint8", "orientation: int32"}, {"background: string"}, {"upright: uint8"}});
}

}  // namespace mmcore::tf
