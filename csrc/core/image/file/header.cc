#include "core/image/file/header.h"

#include <string>
#include <string_view>

#include "core/base/errors.h"
#include "core/image/file/bmp.h"
#include "core/image/file/formats.h"
#include "core/image/file/gif.h"

namespace mmcore::image {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  FileFormat format;
  size_t at;
  std::string_view bytes;
};

constexpr Signature kSignatures[] = {
    {FileFormat::kJpeg, 0, "\xFF\xD8"sv},
    {FileFormat::kPng, 0, "\x89PNG\r\n\x1A\n"sv},
    {FileFormat::kGif, 0, "GIF87a"sv},
    {FileFormat::kGif, 0, "GIF89a"sv},
    {FileFormat::kBmp, 0, "BM"sv},
    {FileFormat::kWebp, 8, "WEBP"sv},
    {FileFormat::kTiff, 0, "II*\0"sv},
    {FileFormat::kTiff, 0, "MM\0*"sv},
    {FileFormat::kTiff, 0, "II+\0"sv},
    {FileFormat::kTiff, 0, "MM\0+"sv},
    {FileFormat::kAvif, 4, "ftypavif"sv},
    {FileFormat::kAvif, 4, "ftypavis"sv},
    {FileFormat::kHeif, 4, "ftyphei"sv},
    {FileFormat::kHeif, 4, "ftypmif1"sv},
    {FileFormat::kJpeg2000, 0, "\0\0\0\x0CjP  "sv},
    {FileFormat::kJpeg2000, 0, "\xFF\x4F\xFF\x51"sv},
    {FileFormat::kJpegXl, 0, "\xFF\x0A"sv},
    {FileFormat::kJpegXl, 0, "\0\0\0\x0CJXL "sv},
    {FileFormat::kIco, 0, "\0\0\1\0"sv},
    {FileFormat::kPsd, 0, "8BPS"sv},
    {FileFormat::kEps, 0, "%!PS"sv},
    {FileFormat::kSvg, 0, "<svg"sv},
};

// "P1" to "P7" (and "Py", "PF", "Pf") and white space.
bool IsPpm(const Bytes& file) {
  if (!file.StartsWith("P") || !file.Has(0, 3)) return false;
  const uint8_t kind = file.Byte(1), space = file.Byte(2);
  return ((kind >= '1' && kind <= '7') || kind == 'F' || kind == 'f' || kind == 'y') &&
         (space == ' ' || (space >= '\t' && space <= '\r'));
}

// A file of the general kind "mif1" is AVIF where that is among the kinds that it is compatible with.
bool ListsAvif(const Bytes& file) {
  const std::string_view kinds = file.Text().substr(0, 64);
  return kinds.find("avif") != std::string_view::npos;
}

// The first bytes, those that are no ASCII in hexadecimal.
std::string Quoted(Span<const uint8_t> file) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = "'";
  for (size_t i = 0; i < file.size() && i < 8; ++i) {
    const uint8_t byte = file[i];
    if (byte >= ' ' && byte <= '~') {
      text += static_cast<char>(byte);
    } else {
      text = text + "\\x" + kHex[byte >> 4] + kHex[byte & 15];
    }
  }
  return text + "'";
}

std::string Size(const FileHeader& header) {
  return std::to_string(header.width) + " x " + std::to_string(header.height);
}

// Photographs have 1 to 8 pixels a byte. A large picture with more is flat, or its header was damaged.
bool IsLargeForItsBytes(Span<const uint8_t> file, const FileHeader& header) {
  const uint64_t num_pixels = header.height * header.width;
  return num_pixels > 4'000'000 && num_pixels / 16 > file.size();
}

void CheckNotEmpty(const FileHeader& header) {
  if (header.complete && (header.width == 0 || header.height == 0)) {
    throw DataError(std::string("the ") + FormatName(header.format) + " image is damaged: it has " + Size(header) +
                    " pixels");
  }
}

}  // namespace

FileFormat FormatOf(Span<const uint8_t> file) {
  const Bytes bytes(file);
  for (const Signature& signature : kSignatures) {
    if (!bytes.StartsWith(signature.bytes, signature.at)) continue;
    if (signature.format == FileFormat::kWebp && !bytes.StartsWith("RIFF")) continue;
    if (signature.format == FileFormat::kHeif && ListsAvif(bytes)) return FileFormat::kAvif;
    return signature.format;
  }
  return IsPpm(bytes) ? FileFormat::kPpm : FileFormat::kUnknown;
}

const char* FormatName(FileFormat format) {
  constexpr const char* kNames[] = {"unknown", "JPEG", "PNG",       "GIF",     "BMP", "WEBP", "TIFF", "AVIF",
                                    "PPM",     "HEIF", "JPEG 2000", "JPEG XL", "ICO", "PSD",  "EPS",  "SVG"};
  return kNames[static_cast<size_t>(format)];
}

FileHeader ReadHeader(Span<const uint8_t> file) {
  const Bytes bytes(file);
  FileHeader header;
  header.format = FormatOf(file);
  switch (header.format) {
    case FileFormat::kJpeg:
      ReadJpegHeader(bytes, header);
      break;
    case FileFormat::kPng:
      ReadPngHeader(bytes, header);
      break;
    case FileFormat::kGif:
      ReadGifHeader(bytes, header);
      break;
    case FileFormat::kBmp:
      ReadBmpHeader(bytes, header);
      break;
    case FileFormat::kWebp:
      ReadWebpHeader(bytes, header);
      break;
    default:
      break;
  }
  CheckNotEmpty(header);
  return header;
}

void CheckFormat(Span<const uint8_t> file, const std::string& allowed) {
  const FileFormat format = FormatOf(file);
  const std::string name = FormatName(format);
  if ((", " + allowed + ", ").find(", " + name + ", ") != std::string::npos) return;
  if (format == FileFormat::kUnknown) {
    throw DataError("not an image that can be read: expected " + allowed + ", found a file that begins with " +
                    Quoted(file));
  }
  if (format > FileFormat::kPpm) {
    throw DataError("not an image that can be read: expected " + allowed + ", found " + name +
                    "; convert it to one of these");
  }
  throw DataError("the image is in the format " + name + ", which is not allowed; expected " + allowed +
                  ". Allow it with formats=(..., \"" + name + "\"), or convert it");
}

void CheckCost(Span<const uint8_t> file, const FileHeader& header, uint64_t max_pixels) {
  if (header.height != 0 && header.width > max_pixels / header.height) {
    throw LimitError("the image has " + Size(header) + " = " + std::to_string(header.width * header.height) +
                     " pixels, more than max_pixels=" + std::to_string(max_pixels) + "; raise max_pixels to read it");
  }
  if (header.format != FileFormat::kJpeg) return;
  if ((header.several_scans || !header.complete) && CountScans(file, kMaxScans) > kMaxScans) {
    throw LimitError("the progressive JPEG has more than " + std::to_string(kMaxScans) +
                     " scans; save it again with fewer");
  }
  if (IsLargeForItsBytes(file, header) && !ScansHold(Bytes(file), header)) {
    throw DataError("the JPEG image is damaged or cut short: its " + std::to_string(file.size()) +
                    " bytes do not hold " + Size(header) + " pixels");
  }
}

}  // namespace mmcore::image
