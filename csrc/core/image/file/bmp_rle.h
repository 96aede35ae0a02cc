// The run lengths of a BMP file.
#ifndef MMCORE_CORE_IMAGE_FILE_BMP_RLE_H_
#define MMCORE_CORE_IMAGE_FILE_BMP_RLE_H_

#include "core/image/file/bytes.h"

namespace mmcore::image {

struct RunOptions {
  size_t height = 0;
  size_t width = 0;
  bool nibbles = false;  // Two indices a byte: RLE4.
};

// Writes height x width indices, in the order of the file, from the runs that begin at byte `at`. Runs that leave
// their row are cut, as Pillow cuts them. Throws DataError where the picture is not filled.
void ReadBmpRuns(const Bytes& file, size_t at, const RunOptions& options, uint8_t* indices);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_BMP_RLE_H_
