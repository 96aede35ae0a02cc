// Source: RFC 9649 (2024), section 2; RFC 6386 (2011), section 9.1.
#include "core/image/file/formats.h"

namespace mmcore::image {

void ReadWebpHeader(const Bytes& file, FileHeader& header) {
  if (file.StartsWith("VP8 ", 12)) {
    header.width = file.Little16(26) & 0x3FFF;
    header.height = file.Little16(28) & 0x3FFF;
  } else if (file.StartsWith("VP8L", 12)) {
    const uint32_t bits = file.Little32(21);
    header.width = (bits & 0x3FFF) + 1;
    header.height = (bits >> 14 & 0x3FFF) + 1;
  } else if (file.StartsWith("VP8X", 12)) {
    header.width = uint64_t{file.Little24(24)} + 1;
    header.height = uint64_t{file.Little24(27)} + 1;
  } else {
    return;
  }
  header.complete = true;
}

}  // namespace mmcore::image
