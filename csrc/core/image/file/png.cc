// Source: ISO/IEC 15948 (2004), Portable Network Graphics; Extensions to the PNG 1.2 specification (2017), eXIf.
#include "core/image/file/png.h"

#include <algorithm>
#include <string_view>

#include "core/image/file/crc32.h"
#include "core/image/file/formats.h"
#include "core/image/file/orientation.h"

namespace mmcore::image {
namespace {

constexpr size_t kSignature = 8, kAround = 12;  // Bytes of the signature; of length, type and checksum of a chunk.
constexpr uint32_t kMostSide = 0x7FFFFFFF;

struct Chunk {
  std::string_view type;
  Bytes data;
  std::string_view whole;  // With length, type and checksum.
};

// The chunk at `at`, checksum unchecked.
Chunk ChunkAt(const Bytes& file, size_t at) {
  const size_t length = file.Big32(at);
  if (length > kMostSide || !file.Has(at, kAround + length)) {
    throw DataError("the image is cut short: a PNG chunk of " + std::to_string(length) + " bytes begins at byte " +
                    std::to_string(at) + " of " + std::to_string(file.size()));
  }
  const Bytes whole = file.Part(at, kAround + length);
  return {whole.Part(4, 4).Text(), whole.Part(8, length), whole.Text()};
}

bool DepthFits(uint32_t depth, uint32_t color) {
  switch (color) {
    case 0:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2:
    case 4:
    case 6:
      return depth == 8 || depth == 16;
    default:
      return false;
  }
}

void ReadIhdr(const Chunk& chunk, FileHeader& header) {
  const Bytes& data = chunk.data;
  if (chunk.type != "IHDR" || data.size() != 13) {
    throw DataError("the PNG image is damaged: it does not begin with an IHDR chunk of 13 bytes");
  }
  header.width = data.Big32(0);
  header.height = data.Big32(4);
  const uint32_t depth = data.Byte(8), color = data.Byte(9);
  const bool fits = header.width >= 1 && header.width <= kMostSide && header.height >= 1 &&
                    header.height <= kMostSide && DepthFits(depth, color) && data.Byte(10) == 0 &&
                    data.Byte(11) == 0 && data.Byte(12) <= 1;
  if (!fits) {
    throw DataError("the PNG image is damaged: its IHDR says " + std::to_string(header.width) + " x " +
                    std::to_string(header.height) + " pixels, bit depth " + std::to_string(depth) +
                    ", colour type " + std::to_string(color) + ", methods " + std::to_string(data.Byte(10)) +
                    ", " + std::to_string(data.Byte(11)) + ", " + std::to_string(data.Byte(12)));
  }
  header.grey16 = depth == 16 && color == 0;
  header.transparent = color == 4 || color == 6;
}

// Metadata that may tell the orientation, the last of each kind as Pillow reads them.
struct Metadata {
  int exif = 0, profile = 0, xmp = 0;
  bool has_exif = false, has_profile = false;
  bool compressed = false;  // There is some that would have to be inflated.

  int Orientation() const {
    const int found = has_exif ? exif : profile;
    if (found != 0) return found;
    return compressed && !has_exif ? kCompressedOrientation : xmp;
  }
};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// ImageMagick's: three lines of preface, then EXIF in hexadecimal digits.
int ProfileOrientation(std::string_view text) {
  size_t at = 0;
  for (int line = 0; line < 3 && at != std::string_view::npos; ++line) {
    at = text.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  if (at == std::string_view::npos) return 0;
  std::string exif;
  int high = -1;
  for (const char c : text.substr(at)) {
    const int digit = HexDigit(c);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      exif.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  const Bytes bytes(reinterpret_cast<const uint8_t*>(exif.data()), exif.size());
  const size_t skip = bytes.StartsWith({"Exif\0\0", 6}) ? 6 : 0;
  return ExifOrientation(bytes.Part(skip, bytes.size() - skip));
}

void ReadText(const Chunk& chunk, Metadata& metadata) {
  constexpr std::string_view kProfile("Raw profile type exif\0", 22), kXmp("XML:com.adobe.xmp\0", 18);
  const std::string_view text = chunk.data.Text();
  if (chunk.data.StartsWith(kProfile)) {
    if (chunk.type == "tEXt") {
      metadata.profile = ProfileOrientation(text.substr(kProfile.size()));
      metadata.has_profile = true;
    } else {
      metadata.compressed = true;
    }
  } else if (chunk.data.StartsWith(kXmp) && chunk.type == "iTXt") {
    if (chunk.data.Has(kXmp.size(), 1) && chunk.data.Byte(kXmp.size()) != 0) {
      metadata.compressed = true;
    } else {
      metadata.xmp = XmpOrientation(text.substr(kXmp.size()));
    }
  }
}

void ReadMetadata(const Chunk& chunk, Metadata& metadata) {
  if (chunk.type == "eXIf") {
    const size_t skip = chunk.data.StartsWith({"Exif\0\0", 6}) ? 6 : 0;
    metadata.exif = ExifOrientation(chunk.data.Part(skip, chunk.data.size() - skip));
    metadata.has_exif = true;
  } else if (chunk.type == "tEXt" || chunk.type == "zTXt" || chunk.type == "iTXt") {
    ReadText(chunk, metadata);
  }
}

void CheckChecksum(const Chunk& chunk, size_t at) {
  const size_t length = chunk.data.size();
  const auto* whole = reinterpret_cast<const uint8_t*>(chunk.whole.data());
  if (Crc32(whole + 4, 4 + length) != Bytes(whole, chunk.whole.size()).Big32(8 + length)) {
    throw DataError("the PNG image is damaged: the checksum of the chunk at byte " + std::to_string(at) +
                    " is wrong");
  }
}

void CheckProfile(const Chunk& chunk) {
  const size_t end = chunk.data.Find(0, 0);
  if (!chunk.data.Has(end, 2) || chunk.data.Byte(end + 1) != 0) {
    throw DataError("the PNG image is damaged: its colour profile is compressed by an unknown method");
  }
}

// Pixels need these; tells which one came, as each has its place.
class Pixels {
 public:
  bool Takes(const Chunk& chunk) {
    if (chunk.type == "PLTE") {
      Expect(!data_ && !palette_ && chunk.data.size() % 3 == 0 && chunk.data.size() <= 768 && chunk.data.size() > 0,
             "PLTE");
      palette_ = true;
      return true;
    }
    if (chunk.type == "tRNS") {
      Expect(!data_, "tRNS");
      return true;
    }
    if (chunk.type == "IDAT") {
      data_ = true;
      return !ended_;
    }
    if (data_) ended_ = true;  // What follows other chunks is no part of the picture.
    return chunk.type == "IHDR" || chunk.type == "IEND";
  }
  void CheckAll(bool wants_palette) const {
    Expect(data_, "IDAT");
    Expect(palette_ || !wants_palette, "PLTE");
  }

 private:
  static void Expect(bool holds, const char* chunk) {
    if (!holds) throw DataError(std::string("the PNG image is damaged: its ") + chunk + " chunk is missing or wrong");
  }
  bool palette_ = false, data_ = false, ended_ = false;
};

}  // namespace

void ReadPngHeader(const Bytes& file, FileHeader& header) {
  Chunk chunk = ChunkAt(file, kSignature);
  ReadIhdr(chunk, header);
  Metadata metadata;
  for (size_t at = kSignature; chunk.type != "IEND"; chunk = ChunkAt(file, at)) {
    ReadMetadata(chunk, metadata);
    header.transparent = header.transparent || chunk.type == "tRNS";
    at += chunk.whole.size();
  }
  header.orientation = metadata.Orientation();
  header.complete = true;
}

std::string PngPixelsOnly(Span<const uint8_t> file) {
  const Bytes bytes(file);
  std::string pixels(bytes.Part(0, kSignature).Text());
  pixels.reserve(file.size());
  Pixels needed;
  FileHeader header;
  bool wants_palette = false;
  for (size_t at = kSignature;;) {
    const Chunk chunk = ChunkAt(bytes, at);
    CheckChecksum(chunk, at);
    if (at == kSignature) {
      ReadIhdr(chunk, header);
      wants_palette = chunk.data.Byte(9) == 3;
    } else if (chunk.type == "iCCP") {
      CheckProfile(chunk);
    }
    if (needed.Takes(chunk)) pixels += chunk.whole;
    if (chunk.type == "IEND") break;
    at += chunk.whole.size();
  }
  needed.CheckAll(wants_palette);
  return pixels;
}

}  // namespace mmcore::image
