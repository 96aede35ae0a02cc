// How a picture is to be turned, as EXIF or XMP metadata say. 0: they say nothing that can be read.
#ifndef MMCORE_CORE_IMAGE_FILE_ORIENTATION_H_
#define MMCORE_CORE_IMAGE_FILE_ORIENTATION_H_

#include <string_view>

#include "core/image/file/bytes.h"

namespace mmcore::image {

// Tag 274 of the first directory of a TIFF structure. Source: Exif 2.3 (CIPA DC-008), 4.6.
int ExifOrientation(const Bytes& tiff);
// tiff:Orientation as an attribute or an element. Source: XMP specification part 2, TIFF namespace.
int XmpOrientation(std::string_view xmp);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_ORIENTATION_H_
