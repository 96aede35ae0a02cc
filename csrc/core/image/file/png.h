// The chunks of a PNG file. What its pixels need is checked and can be taken out alone, so that no decoder ever sees
// metadata: compressed text is a way to make a small file cost much memory.
#ifndef MMCORE_CORE_IMAGE_FILE_PNG_H_
#define MMCORE_CORE_IMAGE_FILE_PNG_H_

#include <string>

#include "core/base/api.h"
#include "core/base/span.h"

namespace mmcore::image {

// The same picture (of an animation the default image) with the chunks IHDR, PLTE, tRNS, IDAT and IEND only.
// Throws DataError where a checksum is wrong, a chunk is missing, out of place or not as the standard has it.
MMCORE_API std::string PngPixelsOnly(Span<const uint8_t> file);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_PNG_H_
