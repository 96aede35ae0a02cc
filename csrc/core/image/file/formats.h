// The header readers of the formats, one each; header.cc chooses.
#ifndef MMCORE_CORE_IMAGE_FILE_FORMATS_H_
#define MMCORE_CORE_IMAGE_FILE_FORMATS_H_

#include "core/image/file/bytes.h"
#include "core/image/file/header.h"

namespace mmcore::image {

void ReadJpegHeader(const Bytes& file, FileHeader& header);
// False where a JPEG's scans do not hold a picture of its size.
bool ScansHold(const Bytes& file, const FileHeader& header);
void ReadPngHeader(const Bytes& file, FileHeader& header);
void ReadWebpHeader(const Bytes& file, FileHeader& header);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_FORMATS_H_
