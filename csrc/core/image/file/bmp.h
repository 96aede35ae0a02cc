// BMP files of 1, 4, 8, 16, 24 and 32 bits a pixel, plain, with bit masks or run lengths: what Pillow reads of them.
// Source: Microsoft, Bitmap Storage, Win32 documentation.
#ifndef MMCORE_CORE_IMAGE_FILE_BMP_H_
#define MMCORE_CORE_IMAGE_FILE_BMP_H_

#include "core/image/file/bytes.h"
#include "core/image/file/header.h"

namespace mmcore::image {

void ReadBmpHeader(const Bytes& file, FileHeader& header);

// Writes height x width x channels (3, or 4 with alpha). Throws DataError where pixels are missing, or the file is of
// a kind that Pillow does not read either.
void DecodeBmp(const Bytes& file, size_t channels, uint8_t* out);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_BMP_H_
