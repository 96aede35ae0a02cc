// Image files: headers, GIF and BMP pixels, checksums, orientation, alpha. Files lie in allocations of exactly their
// size, so that a sanitizer sees what is read behind them.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/errors.h"
#include "core/image/file/crc32.h"
#include "core/image/file/header.h"
#include "core/image/file/pixels.h"
#include "core/image/file/png.h"

namespace {

using mmcore::DataError;
using mmcore::LimitError;
using mmcore::image::FileFormat;
using mmcore::image::FileHeader;
using Bytes = std::vector<uint8_t>;
using std::string_view_literals::operator""sv;

Bytes File(std::string_view text) { return {text.begin(), text.end()}; }

// 2 x 1 pixels, colours 0 and 1 of a palette of two, in codes of 3 bits: clear, 0, 1, end.
Bytes Gif() {
  return File(
      "GIF89a\2\0\1\0\x80\0\0\x0A\x14\x1E\x28\x32\x3C,\0\0\0\0\2\0\1\0\0\2\2\x44\x0A\0;"sv);
}

// 2 x 2 pixels of 24 bits, each row padded to 8 bytes, the lowest row first.
Bytes Bmp() {
  return File(
      "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
      "\0\0\0\0\1\2\3\4\5\6\0\0\7\x8\x9\xA\xB\xC\0\0"sv);
}

Bytes Decoded(const Bytes& file, size_t channels = 3) {
  const FileHeader header = mmcore::image::ReadHeader(file);
  Bytes pixels(header.height * header.width * channels);
  mmcore::image::DecodePixels(file, header, channels, pixels.data());
  return pixels;
}

void TestGif() {
  const FileHeader header = mmcore::image::ReadHeader(Gif());
  CHECK(header.format == FileFormat::kGif && header.complete && header.width == 2 && header.height == 1);
  CHECK(Decoded(Gif()) == (Bytes{10, 20, 30, 40, 50, 60}));
  CHECK(Decoded(Gif(), 4) == (Bytes{10, 20, 30, 255, 40, 50, 60, 255}));
}

void TestBmp() {
  const FileHeader header = mmcore::image::ReadHeader(Bmp());
  CHECK(header.format == FileFormat::kBmp && header.complete && header.width == 2 && header.height == 2);
  CHECK(Decoded(Bmp()) == (Bytes{9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4}));
}

void TestEveryCutIsRefused() {
  for (size_t size = 0; size + 3 < Gif().size(); ++size) {
    Bytes cut = Gif();
    cut.resize(size);
    cut.shrink_to_fit();
    if (size >= 6) CHECK_THROWS(Decoded(cut), DataError);
  }
  for (size_t size = 2; size + 2 < Bmp().size(); ++size) {
    Bytes cut = Bmp();
    cut.resize(size);
    cut.shrink_to_fit();
    CHECK_THROWS(Decoded(cut), DataError);
  }
}

void TestCostsAndFormats() {
  const FileHeader header = mmcore::image::ReadHeader(Bmp());
  mmcore::image::CheckCost(Bmp(), header, 4);
  CHECK_THROWS(mmcore::image::CheckCost(Bmp(), header, 3), LimitError);
  mmcore::image::CheckFormat(Bmp(), "GIF, BMP");
  CHECK_THROWS(mmcore::image::CheckFormat(Bmp(), "GIF, PNG"), DataError);
  CHECK_THROWS(mmcore::image::CheckFormat(File("hello"), "GIF, PNG"), DataError);
  CHECK_THROWS(mmcore::image::CheckFormat(File(""), "GIF, PNG"), DataError);
}

void TestChecksum() {
  const Bytes end = File("IEND"sv);
  CHECK(mmcore::image::Crc32(end.data(), end.size()) == 0xAE426082U);
  const Bytes digits = File("123456789"sv);  // The check value of this polynomial.
  CHECK(mmcore::image::Crc32(digits.data(), digits.size()) == 0xCBF43926U);
  CHECK_THROWS(mmcore::image::PngPixelsOnly(File("\x89PNG\r\n\x1A\n"sv)), DataError);
}

void TestOrient() {
  const Bytes pixels = {1, 2, 3, 4, 5, 6};  // Two rows of three.
  const Bytes want[] = {{1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
                        {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    Bytes out(6);
    mmcore::image::Orient({pixels.data(), 2, 3, 1, 3}, orientation, out.data());
    CHECK(out == want[orientation - 1]);
  }
}

void TestCompose() {
  const Bytes rgba = {10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 255, 51};
  Bytes rgb(9);
  mmcore::image::Compose(rgba, {200, 100, 0}, rgb.data());
  CHECK(rgb == (Bytes{10, 20, 30, 200, 100, 0, 180, 80, 51}));
}

}  // namespace

int main() {
  TestGif();
  TestBmp();
  TestEveryCutIsRefused();
  TestCostsAndFormats();
  TestChecksum();
  TestOrient();
  TestCompose();
  return mmcore::testing::Report("test_image_file");
}
