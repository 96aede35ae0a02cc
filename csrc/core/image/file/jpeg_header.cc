// The markers of a JPEG file up to its first scan. Source: ITU-T T.81 (1992), annex B.
#include <algorithm>

#include "core/image/file/formats.h"
#include "core/image/file/orientation.h"

namespace mmcore::image {
namespace {

constexpr uint8_t kScan = 0xDA, kEnd = 0xD9, kApp1 = 0xE1;

bool HasNoLength(uint8_t marker) { return marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD7); }

bool IsFrame(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool IsProgressive(uint8_t marker) {
  return marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE;
}

void ReadFrame(const Bytes& segment, uint8_t marker, FileHeader& header) {
  header.frame = marker;
  header.precision = segment.Byte(2);
  header.height = segment.Big16(3);
  header.width = segment.Big16(5);
  header.components = segment.Byte(7);
}

}  // namespace

void ReadJpegHeader(const Bytes& file, FileHeader& header) {
  constexpr std::string_view kExif("Exif\0\0", 6), kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  int exif = 0, xmp = 0;
  bool saw_exif = false, saw_xmp = false;
  size_t at = 2;
  while (true) {
    at = file.Find(0xFF, at);
    if (!file.Has(at, 4)) return;
    const uint8_t marker = file.Byte(at + 1);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    at += 2;
    if (HasNoLength(marker)) continue;
    if (marker == kEnd) return;
    if (marker == kScan) {
      if (header.frame == 0) return;
      const size_t components = file.Has(at + 2, 1) ? file.Byte(at + 2) : 0;
      header.several_scans = IsProgressive(header.frame) || components != header.components;
      header.orientation = exif != 0 ? exif : xmp;
      header.complete = true;
      return;
    }
    const size_t length = std::max<size_t>(file.Big16(at), 2);
    const Bytes segment = file.Part(at, std::min(length, file.size() - at));
    if (IsFrame(marker) && header.frame == 0) {
      if (!segment.Has(0, 8)) return;
      ReadFrame(segment, marker, header);
    } else if (marker == kApp1 && !saw_exif && segment.StartsWith(kExif, 2)) {
      saw_exif = true;
      exif = ExifOrientation(segment.Part(8, segment.size() - 8));
    } else if (marker == kApp1 && !saw_xmp && segment.StartsWith(kXmp, 2)) {
      saw_xmp = true;
      xmp = XmpOrientation(segment.Part(2 + kXmp.size(), segment.size() - 2 - kXmp.size()).Text());
    }
    at += length;
  }
}

size_t CountScans(Span<const uint8_t> file, size_t limit) {
  const Bytes bytes(file);
  size_t count = 0;
  for (size_t at = bytes.Find(0xFF, 0); count <= limit && bytes.Has(at, 2); at = bytes.Find(0xFF, at + 1)) {
    if (bytes.Byte(at + 1) == kScan) ++count;
  }
  return count;
}

}  // namespace mmcore::image
