// Under the sanitizers this also proves that no kernel reads or writes outside the caller's memory: every
// image lies in an allocation of exactly its size.
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "core/base/cpu.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/normalization.h"
#include "core/image/patches.h"
#include "core/image/resize.h"
#include "core/image/taps.h"

namespace {

using mmcore::InvalidArgument;
using mmcore::Isa;
using mmcore::image::DType;
using mmcore::image::Filter;
using mmcore::image::ImageView;
using mmcore::image::Layout;
using mmcore::image::Normalization;
using mmcore::image::ResizeItem;
using mmcore::image::ResizeOptions;
using mmcore::image::WholeImage;
using Bytes = std::vector<uint8_t>;

constexpr size_t kSides[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 200};

constexpr Filter kFilters[] = {Filter::kNearest, Filter::kBox,     Filter::kBilinear,
                               Filter::kHamming, Filter::kBicubic, Filter::kLanczos};

Bytes Noise(size_t size, uint32_t seed) {
  std::minstd_rand random(seed + 1);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() >> 8);
  return bytes;
}

std::vector<Isa> Isas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa <= mmcore::DetectedIsa()) isas.push_back(isa);
  }
  return isas;
}

Bytes Resized(const ResizeItem& item, size_t height, size_t width, Filter filter, Isa isa) {
  Bytes out(height * width * item.image.channels);
  mmcore::image::Resize(item, {height, width, filter, isa}, out.data());
  return out;
}

Normalization MakeNormalization(const std::vector<double>& mean, const std::vector<double>& std) {
  return Normalization(mean, std);
}

void TestWeightsSumToOne() {
  for (const Filter filter : kFilters) {
    for (const size_t in : kSides) {
      for (const size_t out : kSides) {
        const auto taps = MakeTaps({in, 0, static_cast<float>(in), out, 0, out, false}, filter);
        for (size_t i = 0; i < out; ++i) {
          int64_t sum = 0;
          for (size_t t = 0; t < taps.sizes[i]; ++t) sum += taps.weights[i * taps.stride + t];
          const int64_t off = sum - (int64_t{1} << mmcore::image::kWeightBits);
          const auto allowed = static_cast<int64_t>(taps.sizes[i]);  // Half a unit for each rounded weight.
          CHECK(2 * off <= allowed && -2 * off <= allowed);
          CHECK(taps.starts[i] + taps.sizes[i] <= in);
        }
      }
    }
  }
}

void TestEveryIsaGivesTheSameBytes() {
  std::minstd_rand random(7);
  const auto side = [&] { return kSides[random() % (sizeof(kSides) / sizeof(kSides[0]))]; };
  for (int trial = 0; trial < 400; ++trial) {
    const size_t channels = 1 + random() % 4;
    const size_t height = side();
    const size_t width = side();
    const size_t out_height = side();
    const size_t out_width = side();
    const Bytes pixels = Noise(height * width * channels, static_cast<uint32_t>(trial));
    ResizeItem item =
        WholeImage({pixels.data(), height, width, channels, width * channels}, out_height, out_width);
    if (trial % 3 == 0)
      item.box = {0.25F, 0.5F, static_cast<float>(width), static_cast<float>(height) - 0.25F};
    item.flip = trial % 2 == 0;
    const Filter filter = kFilters[random() % 6];
    const Bytes want = Resized(item, out_height, out_width, filter, Isa::kScalar);
    for (const Isa isa : Isas()) CHECK(Resized(item, out_height, out_width, filter, isa) == want);
  }
}

void TestConstantImagesStayConstant() {
  for (const Isa isa : Isas()) {
    for (const int value : {0, 1, 127, 255}) {
      const Bytes pixels(23 * 31 * 3, static_cast<uint8_t>(value));
      const ResizeItem item = WholeImage({pixels.data(), 23, 31, 3, 93}, 57, 11);
      CHECK(Resized(item, 57, 11, Filter::kBicubic, isa) == Bytes(57 * 11 * 3, static_cast<uint8_t>(value)));
    }
  }
}

void TestSameSizeIsACopy() {
  const Bytes pixels = Noise(9 * 13 * 4, 1);
  const ResizeItem item = WholeImage({pixels.data(), 9, 13, 4, 52}, 9, 13);
  for (const Isa isa : Isas()) CHECK(Resized(item, 9, 13, Filter::kBicubic, isa) == pixels);
}

// A view with gaps between its rows equals the same pixels without gaps.
void TestRowStride() {
  const Bytes pixels = Noise(20 * 100, 2);
  Bytes dense(20 * 33);
  for (size_t y = 0; y < 20; ++y) std::memcpy(&dense[y * 33], &pixels[y * 100], 33);
  for (const Isa isa : Isas()) {
    const Bytes got = Resized(WholeImage({pixels.data(), 20, 11, 3, 100}, 7, 9), 7, 9, Filter::kBicubic, isa);
    CHECK(got == Resized(WholeImage({dense.data(), 20, 11, 3, 33}, 7, 9), 7, 9, Filter::kBicubic, isa));
  }
}

void TestWindowsAndFlipsAreCutFromTheWhole() {
  const Bytes pixels = Noise(50 * 40 * 3, 3);
  ResizeItem item = WholeImage({pixels.data(), 50, 40, 3, 120}, 30, 35);
  const Bytes whole = Resized(item, 30, 35, Filter::kBicubic, Isa::kScalar);
  item.top = 4;
  item.left = 9;
  item.flip = true;
  for (const Isa isa : Isas()) {
    const Bytes window = Resized(item, 13, 17, Filter::kBicubic, isa);
    for (size_t y = 0; y < 13; ++y) {
      for (size_t x = 0; x < 17; ++x) {
        const uint8_t* want = &whole[((y + 4) * 35 + 9 + 16 - x) * 3];
        CHECK(std::memcmp(&window[(y * 17 + x) * 3], want, 3) == 0);
      }
    }
  }
}

void TestBatchesEqualSingleImages() {
  const Normalization normalization = MakeNormalization({0.1, 0.5, 0.9}, {0.2, 0.3, 1.7});
  std::vector<Bytes> images;
  std::vector<ResizeItem> items;
  for (uint32_t i = 0; i < 9; ++i) {
    const size_t height = kSides[i] + 1;
    const size_t width = kSides[8 - i];
    images.push_back(Noise(height * width * 3, i));
    items.push_back(WholeImage({images.back().data(), height, width, 3, width * 3}, 11, 19));
  }
  for (const Isa isa : Isas()) {
    const ResizeOptions options = {11, 19, Filter::kBicubic, isa};
    for (const size_t threads : {1u, 2u, 4u}) {
      mmcore::PoolExecutor executor(threads);
      Bytes bytes(items.size() * 11 * 19 * 3);
      std::vector<float> floats(bytes.size());
      ResizeBatch(items, options, normalization, {DType::kUint8, Layout::kNhwc}, bytes.data(), executor);
      ResizeBatch(items, options, normalization, {}, floats.data(), executor);
      for (size_t i = 0; i < items.size(); ++i) {
        const Bytes want = Resized(items[i], 11, 19, Filter::kBicubic, Isa::kScalar);
        CHECK(std::memcmp(&bytes[i * want.size()], want.data(), want.size()) == 0);
      }
      bool equal = true;
      for (size_t i = 0; i < bytes.size(); ++i) equal &= floats[i] == normalization.table[i % 3][bytes[i]];
      CHECK(equal);
    }
  }
}

// Patch (r, c) is cut from the resized image; each part of the batch lies in a buffer of just its size.
void TestPatchesAreCutFromTheResizedImage() {
  const Bytes pixels = Noise(37 * 61 * 3, 6);
  const std::vector<ImageView> images = {{pixels.data(), 37, 61, 3, 183}, {pixels.data(), 61, 8, 3, 24}};
  const Normalization normalization = MakeNormalization({0.5, 0.4, 0.3}, {0.5, 0.25, 2});
  for (const Isa isa : Isas()) {
    for (const size_t size : {1u, 5u, 16u}) {
      const mmcore::image::PatchOptions options = {size, 10, Filter::kBilinear, DType::kFloat32, isa};
      mmcore::PoolExecutor executor(2);
      const size_t line = 3 * size, part = 10 * size * line;
      std::vector<float> out(images.size() * part, -1);
      int32_t shapes[4] = {};
      PatchBatch(images, options, normalization, out.data(), shapes, executor);
      for (size_t i = 0; i < images.size(); ++i) {
        const auto rows = static_cast<size_t>(shapes[2 * i]), columns = static_cast<size_t>(shapes[2 * i + 1]);
        const size_t height = rows * size, width = columns * size;
        CHECK(rows * columns >= 1 && rows * columns <= 10);
        const Bytes whole = Resized(WholeImage(images[i], height, width), height, width, Filter::kBilinear, isa);
        bool equal = true;
        for (size_t k = 0; k < 10 * size * line; ++k) {
          const size_t patch = k / (size * line), y = k / line % size, x = k % line;
          const size_t at = (patch / columns * size + y) * width * 3 + patch % columns * line + x;
          equal &= out[i * part + k] == (patch < rows * columns ? normalization.table[x % 3][whole[at]] : 0.0F);
        }
        CHECK(equal);
      }
    }
  }
}

void TestPatchesThatCannotBeAreRefused() {
  const Bytes pixels = Noise(4 * 5 * 3, 4);
  const std::vector<ImageView> images = {{pixels.data(), 4, 5, 3, 15}};
  const Normalization normalization = MakeNormalization({0, 0, 0}, {1, 1, 1});
  mmcore::InlineExecutor executor;
  std::vector<float> out(1000);
  int32_t shapes[2] = {};
  const auto run = [&](mmcore::Span<const ImageView> views, size_t size, size_t most) {
    PatchBatch(views, {size, most}, normalization, out.data(), shapes, executor);
  };
  CHECK_THROWS(run(images, 0, 4), InvalidArgument);
  CHECK_THROWS(run(images, 4, 0), InvalidArgument);
  CHECK_THROWS(run(images, size_t{1} << 24, size_t{1} << 31), InvalidArgument);
  const std::vector<ImageView> grey = {{pixels.data(), 4, 5, 1, 5}}, empty = {{pixels.data(), 0, 5, 3, 15}};
  CHECK_THROWS(run(grey, 2, 4), InvalidArgument);
  CHECK_THROWS(run(empty, 2, 4), InvalidArgument);
  CHECK_THROWS(mmcore::image::PatchGridOf(1, 2'000'000, 1, 1), InvalidArgument);
}

void TestMistakesAreRefused() {
  const Bytes pixels = Noise(4 * 5 * 3, 4);
  const ImageView view = {pixels.data(), 4, 5, 3, 15};
  Bytes out(1000);
  std::vector<float> floats(1000);
  mmcore::InlineExecutor executor;
  const Normalization normalization = MakeNormalization({0, 0, 0}, {1, 1, 1});
  const auto resize = [&](const ResizeItem& item, size_t height, size_t width) {
    mmcore::image::Resize(item, {height, width, Filter::kBicubic, Isa::kScalar}, out.data());
  };
  CHECK_THROWS(resize(WholeImage({pixels.data(), 0, 5, 3, 15}, 2, 2), 2, 2), InvalidArgument);
  CHECK_THROWS(resize(WholeImage({pixels.data(), 4, 3, 5, 15}, 2, 2), 2, 2), InvalidArgument);
  CHECK_THROWS(resize(WholeImage(view, 0, 2), 2, 2), InvalidArgument);
  CHECK_THROWS(resize(WholeImage(view, 3, 3), 3, 4), InvalidArgument);
  ResizeItem item = WholeImage(view, 3, 3);
  item.top = static_cast<size_t>(-1);
  CHECK_THROWS(resize(item, 2, 2), InvalidArgument);
  item = WholeImage(view, 3, 3);
  item.box.right = 5.5F;
  CHECK_THROWS(resize(item, 3, 3), InvalidArgument);
  const std::vector<ResizeItem> grey = {WholeImage({pixels.data(), 4, 5, 1, 15}, 3, 3)};
  CHECK_THROWS(ResizeBatch(grey, {3, 3}, normalization, {}, floats.data(), executor), InvalidArgument);
  CHECK_THROWS(MakeNormalization({0, 0, 0}, {1, 0, 1}), InvalidArgument);
  CHECK_THROWS(MakeNormalization({0, 0}, {1, 1}), InvalidArgument);
  CHECK_THROWS(mmcore::image::ParseFilter("area"), InvalidArgument);
}

}  // namespace

int main() {
  TestWeightsSumToOne();
  TestEveryIsaGivesTheSameBytes();
  TestConstantImagesStayConstant();
  TestSameSizeIsACopy();
  TestRowStride();
  TestWindowsAndFlipsAreCutFromTheWhole();
  TestBatchesEqualSingleImages();
  TestPatchesAreCutFromTheResizedImage();
  TestPatchesThatCannotBeAreRefused();
  TestMistakesAreRefused();
  return mmcore::testing::Report("test_image");
}
