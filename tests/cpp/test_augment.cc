// Under the sanitizers this also proves that no step reads or writes outside the caller's memory: every image and every
// batch lies in an allocation of exactly its size.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "core/base/cpu.h"
#include "core/base/errors.h"
#include "core/base/thread_pool.h"
#include "core/image/augment/augmentation.h"
#include "core/image/augment/mix.h"
#include "core/image/augment/operations.h"
#include "core/image/augment/random.h"

namespace {

using mmcore::InlineExecutor;
using mmcore::InvalidArgument;
using mmcore::Isa;
using mmcore::Span;
using namespace mmcore::image;
using Bytes = std::vector<uint8_t>;

// Version; crop, flip, jitter, grayscale, RandAugment of all operations, erasing with noise.
const std::vector<double> kAll = {1, 1,   0.08, 1,    0.75, 1.4, 2,   0.5, 3,   0.6,  1.4, 0.6, 1.4,   0.6, 1.4, -0.1,
                                  0.1, 1, 4,    0.25, 5,    6,   0.9, 99,  32767, 6,  0.9, 0.02, 0.33, 0.3, 3.3, -1};

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

Normalization Plain() {
  const std::vector<double> mean(3, 0.5), std(3, 0.5);
  return Normalization(Span<const double>(mean), Span<const double>(std));
}

void TestPhiloxGivesItsPublishedAnswer() {
  const auto answer = Philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0});
  CHECK((answer == std::array<uint32_t, 4>{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

void TestDrawsStayInside() {
  Stream stream(1, 2, 3);
  for (int i = 0; i < 1000; ++i) {
    const double u = stream.Uniform();
    CHECK(u >= 0.0 && u < 1.0);
    CHECK(stream.Below(1) == 0);
    CHECK(stream.Below(std::numeric_limits<uint32_t>::max()) < std::numeric_limits<uint32_t>::max());
  }
}

void TestEveryIsaGivesTheSameBytes() {
  for (const size_t height : std::vector<size_t>{1, 2, 3, 5, 17}) {
    for (const size_t width : std::vector<size_t>{1, 2, 3, 16, 33}) {
      const Bytes pixels = Noise(height * width * 3, static_cast<uint32_t>(height * width));
      const ImageView view = {pixels.data(), height, width, 3, width * 3};
      for (int operation = 0; operation < kNumOperations; ++operation) {
        const double value = operation == 5 ? 3 : operation == 17 ? 0.3 : 0.45;
        Bytes expected(pixels.size());
        Operate(view, operation, value, 0x123456, Isa::kScalar, expected.data());
        for (const Isa isa : Isas()) {
          Bytes out(pixels.size());
          Operate(view, operation, value, 0x123456, isa, out.data());
          CHECK(out == expected);
        }
      }
    }
  }
}

void TestBatchesEqualSingleImagesOnAnyThreads() {
  const Augmentation augmentation{Span<const double>(kAll)};
  const ResizeOptions options = {9, 13};
  const Normalization normalization = Plain();
  std::vector<Bytes> pixels;
  std::vector<ImageView> views;
  std::vector<uint64_t> indices;
  for (uint32_t i = 0; i < 24; ++i) pixels.push_back(Noise((i + 1) * (30 - i) * 3, i));
  for (size_t i = 0; i < pixels.size(); ++i) {
    views.push_back({pixels[i].data(), i + 1, 30 - i, 3, (30 - i) * 3});
    indices.push_back(i * 7);
  }
  const size_t size = 9 * 13 * 3;
  std::vector<float> batch(views.size() * size);
  mmcore::PoolExecutor pool(4);
  augmentation.Run(views, indices, 5, options, normalization, {}, batch.data(), pool);
  InlineExecutor inline_executor;
  for (size_t i = 0; i < views.size(); ++i) {
    std::vector<float> one(size);
    augmentation.Run(Span<const ImageView>(&views[i], 1), Span<const uint64_t>(&indices[i], 1), 5, options,
                     normalization, {}, one.data(), inline_executor);
    CHECK(std::equal(one.begin(), one.end(), batch.begin() + static_cast<std::ptrdiff_t>(i * size)));
  }
}

void TestMixturesOfOneImageLeaveIt() {
  const std::vector<float> image(4 * 5 * 3, 0.25F), label = {0.5F, 0.5F};
  std::vector<float> mixed(image.size()), soft(label.size());
  InlineExecutor executor;
  const MixBatch batch = {1, 4, 5, 3 * sizeof(float), 2};
  for (uint64_t step = 0; step < 50; ++step) {
    CutMix(batch, 1.0, 0, step, image.data(), label.data(), mixed.data(), soft.data(), executor);
    CHECK(mixed == image && soft[0] + soft[1] == 1.0F);
  }
  CHECK_THROWS(Mixup(batch, 0, 0, 0, image.data(), label.data(), mixed.data(), soft.data(), executor), InvalidArgument);
}

// Cut anywhere and with any number replaced, a specification is refused or works.
void TestDamagedSpecificationsAreRefusedOrWork() {
  const Bytes pixels = Noise(7 * 9 * 3, 1);
  const ImageView view = {pixels.data(), 7, 9, 3, 27};
  const uint64_t index = 3;
  InlineExecutor executor;
  const double values[] = {-1, 0, 0.5, 1, 6, 7, 1e300, -1e300, std::numeric_limits<double>::quiet_NaN()};
  const auto run = [&](const std::vector<double>& numbers) {
    Bytes out(5 * 4 * 3);
    try {
      const Augmentation augmentation{Span<const double>(numbers)};
      augmentation.Run(Span<const ImageView>(&view, 1), Span<const uint64_t>(&index, 1), 0, {5, 4}, Plain(),
                       {DType::kUint8, Layout::kNhwc}, out.data(), executor);
    } catch (const InvalidArgument&) {
      return;
    }
    CHECK(out.size() == 60);
  };
  for (size_t at = 0; at < kAll.size(); ++at) {
    run({kAll.begin(), kAll.begin() + static_cast<std::ptrdiff_t>(at)});
    for (const double value : values) {
      std::vector<double> numbers = kAll;
      numbers[at] = value;
      run(numbers);
    }
  }
}

void TestMistakesAreRefused() {
  const Augmentation augmentation{Span<const double>(kAll)};
  const Bytes pixels(4 * 4 * 4);
  std::vector<float> out(2 * 3 * 3 * 3);
  InlineExecutor executor;
  const std::vector<uint64_t> indices = {0};
  const auto run = [&](const ImageView& view, const ResizeOptions& options) {
    augmentation.Run(Span<const ImageView>(&view, 1), indices, 0, options, Plain(), {}, out.data(), executor);
  };
  CHECK_THROWS(run({pixels.data(), 4, 4, 4, 16}, {3, 3}), InvalidArgument);
  CHECK_THROWS(run({pixels.data(), 0, 4, 3, 12}, {3, 3}), InvalidArgument);
  CHECK_THROWS(run({pixels.data(), 4, 4, 3, 12}, {0, 3}), InvalidArgument);
  CHECK_THROWS(augmentation.Run({}, indices, 0, {3, 3}, Plain(), {}, out.data(), executor), InvalidArgument);
}

}  // namespace

int main() {
  TestPhiloxGivesItsPublishedAnswer();
  TestDrawsStayInside();
  TestEveryIsaGivesTheSameBytes();
  TestBatchesEqualSingleImagesOnAnyThreads();
  TestMixturesOfOneImageLeaveIt();
  TestDamagedSpecificationsAreRefusedOrWork();
  TestMistakesAreRefused();
  return mmcore::testing::Report("test_augment");
}
