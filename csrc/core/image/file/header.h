// What must be known of an image file before its pixels are decoded, read from its first bytes: so that a file that
// would cost too much memory or time is refused for the price of a few comparisons.
#ifndef MMCORE_CORE_IMAGE_FILE_HEADER_H_
#define MMCORE_CORE_IMAGE_FILE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/api.h"
#include "core/base/span.h"

namespace mmcore::image {

// Told apart by how files begin. The ones after kPpm are known by name only, for messages.
enum class FileFormat {
  kUnknown, kJpeg, kPng, kGif, kBmp, kWebp, kTiff, kAvif, kPpm, kHeif, kJpeg2000, kJpegXl, kIco, kPsd, kEps, kSvg
};

MMCORE_API FileFormat FormatOf(Span<const uint8_t> file);
// "JPEG", "PNG", ...; "unknown" for kUnknown.
MMCORE_API const char* FormatName(FileFormat format);

// FileHeader::orientation where it is in metadata that are compressed, which only Pillow reads.
constexpr int kCompressedOrientation = -1;

struct FileHeader {
  FileFormat format = FileFormat::kUnknown;
  // False where the format's header is not read here (TIFF, AVIF, ...) or, in a JPEG, not understood: the size is
  // then 0 x 0 and the decoder has to find out.
  bool complete = false;
  uint64_t height = 0;
  uint64_t width = 0;
  int orientation = 0;  // What the file says (EXIF, else XMP), 1 to 8 if it is right; 0 where it says nothing.

  // JPEG only.
  uint8_t components = 0;
  uint8_t precision = 0;  // Bits a sample.
  uint8_t frame = 0;      // The second byte of the frame's marker: 0xC0 baseline, 0xC2 progressive, ...
  bool several_scans = false;  // More than one pass over the picture: progressive, or a component at a time.

  // PNG only: 16 bits a sample without colour; some pixels may be transparent.
  bool grey16 = false;
  bool transparent = false;
};

// Reads the header of any format. Orientation is read for JPEG, PNG and GIF.
// Throws DataError where a PNG, GIF, BMP or WebP has no header that can be read, or no pixels.
MMCORE_API FileHeader ReadHeader(Span<const uint8_t> file);

// Markers that begin a scan in a JPEG, counted up to `limit` + 1.
MMCORE_API size_t CountScans(Span<const uint8_t> file, size_t limit);

// Throws DataError where the format is not among `allowed`: names, separated by ", ".
MMCORE_API void CheckFormat(Span<const uint8_t> file, const std::string& allowed);

// What is refused, from the header alone. kMaxScans: each scan of a progressive JPEG costs a pass over the whole
// picture for a few bytes of file.
constexpr size_t kMaxScans = 100;
// Throws LimitError for more than max_pixels pixels or kMaxScans scans, DataError where so few bytes cannot hold
// the picture of a JPEG.
MMCORE_API void CheckCost(Span<const uint8_t> file, const FileHeader& header, uint64_t max_pixels);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_HEADER_H_
