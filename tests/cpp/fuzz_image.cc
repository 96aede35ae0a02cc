// Changes image files by chance, and reads their headers and decodes them: nothing but a typed error may come out.
// Built and run by run.sh under sanitizers:
//   fuzz_image FOLDER [SECONDS [SEED [CASE]]]
// FOLDER has files to begin with (fuzz_image_seeds.py writes them). SEED and CASE, as a failure prints them, repeat
// that one.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/errors.h"
#include "core/image/file/crc32.h"
#include "core/image/file/header.h"
#include "core/image/file/pixels.h"
#include "core/image/file/png.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace {

using File = std::vector<uint8_t>;

constexpr uint64_t kMaxPixels = 1'000'000;

uint64_t g_seed = 1, g_case = 0;

void PrintCase() {
  std::fprintf(stderr, "fuzz_image: seed %llu, case %llu\n", static_cast<unsigned long long>(g_seed),
               static_cast<unsigned long long>(g_case));
}

std::vector<File> ReadFiles(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<File> files;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (files.empty()) throw std::runtime_error("no files in " + folder);
  return files;
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t limit) { return limit == 0 ? 0 : static_cast<size_t>(engine_() % limit); }
  bool OneIn(size_t n) { return Below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// Where headers are more often than pixels.
size_t Position(const File& file, Dice& dice) {
  return dice.Below(dice.OneIn(2) ? std::min<size_t>(file.size(), 64) : file.size());
}

void Change(File& file, Dice& dice) {
  if (file.empty()) return;
  constexpr uint8_t kWild[] = {0, 1, 2, 3, 4, 8, 0x7F, 0x80, 0xFE, 0xFF};
  switch (dice.Below(6)) {
    case 0: file[Position(file, dice)] = kWild[dice.Below(std::size(kWild))]; return;
    case 1: file[Position(file, dice)] ^= static_cast<uint8_t>(1U << dice.Below(8)); return;
    case 2: file[Position(file, dice)] = static_cast<uint8_t>(dice.Below(256)); return;
    case 3: file.resize(dice.Below(file.size() + 1)); return;
    case 4: {
      const size_t at = Position(file, dice), count = std::min(dice.Below(40), file.size() - at);
      const File copy(file.begin() + static_cast<std::ptrdiff_t>(at),
                      file.begin() + static_cast<std::ptrdiff_t>(at + count));
      const auto to = static_cast<std::ptrdiff_t>(Position(file, dice));
      file.insert(file.begin() + to, copy.begin(), copy.end());
      return;
    }
    default: {
      const size_t at = Position(file, dice), count = std::min(dice.Below(8), file.size() - at);
      std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), count, dice.OneIn(2) ? uint8_t{0xFF} : uint8_t{0});
    }
  }
}

// Makes the checksums of a PNG right again, so that what lies behind them is reached.
void MendChecksums(File& file) {
  for (size_t at = 8; at + 12 <= file.size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | file[at + i];
    if (length > file.size() - at - 12) return;
    const uint32_t crc = mmcore::image::Crc32(&file[at + 4], 4 + length);
    for (size_t i = 0; i < 4; ++i) file[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
}

// True where the file was decoded, or its pixels are for another decoder.
bool Read(const File& file, Dice& dice) {
  try {
    mmcore::image::CheckFormat(file, dice.OneIn(50) ? "JPEG" : "JPEG, PNG, GIF, BMP, WEBP");
    const auto header = mmcore::image::ReadHeader(file);
    mmcore::image::CheckCost(file, header, kMaxPixels);
    if (header.format == mmcore::image::FileFormat::kPng) mmcore::image::PngPixelsOnly(file);
    if (!mmcore::image::IsDecodedHere(header.format)) return true;
    const size_t channels = dice.OneIn(2) ? 3 : 4;
    // Just as large as it must be, so that a sanitizer sees what is written behind it.
    File pixels(header.height * header.width * channels);
    mmcore::image::DecodePixels(file, header, channels, pixels.data());
    if (channels == 4) {
      File rgb(pixels.size() / 4 * 3);
      mmcore::image::Compose(pixels, {1, 2, 255}, rgb.data());
    }
    File upright(pixels.size());
    const mmcore::image::ImageView view{pixels.data(), header.height, header.width, channels, header.width * channels};
    mmcore::image::Orient(view, static_cast<int>(dice.Below(10)), upright.data());
    return true;
  } catch (const mmcore::InvalidArgument&) {
  } catch (const mmcore::DataError&) {
  }
  return false;
}

bool RunCase(const std::vector<File>& seeds) {
  Dice dice(g_seed * 0x9E3779B97F4A7C15 + g_case);
  File file = seeds[dice.Below(seeds.size())];
  for (size_t n = dice.Below(6); n > 0; --n) Change(file, dice);
  if (dice.OneIn(2) && mmcore::image::FormatOf(file) == mmcore::image::FileFormat::kPng) MendChecksums(file);
  file.shrink_to_fit();
  return Read(file, dice);
}

int Run(int argc, char** argv) {
  const auto number = [&](int i, uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  if (argc < 2) throw std::runtime_error("usage: fuzz_image FOLDER [SECONDS [SEED [CASE]]]");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(number(2, 10));
  g_seed = number(3, 1);
  const std::vector<File> seeds = ReadFiles(argv[1]);
  if (argc > 4) {
    g_case = number(4, 0);
    RunCase(seeds);
    return 0;
  }
  unsigned long long accepted = 0;
  for (; std::chrono::steady_clock::now() < end; ++g_case) accepted += RunCase(seeds) ? 1 : 0;
  std::printf("fuzz_image: %llu cases of seed %llu, %llu were accepted, 0 failed\n",
              static_cast<unsigned long long>(g_case), static_cast<unsigned long long>(g_seed), accepted);
  return accepted > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  __sanitizer_set_death_callback(PrintCase);
#endif
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_image: %s\n", error.what());
    PrintCase();
    return 1;
  }
}
