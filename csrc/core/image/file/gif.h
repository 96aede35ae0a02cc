// The first frame of a GIF file on its canvas. Source: CompuServe, Graphics Interchange Format 89a, 1990.
#ifndef MMCORE_CORE_IMAGE_FILE_GIF_H_
#define MMCORE_CORE_IMAGE_FILE_GIF_H_

#include "core/image/file/bytes.h"
#include "core/image/file/header.h"

namespace mmcore::image {

// The canvas is as large as the file says, or larger where the first frame would not fit.
void ReadGifHeader(const Bytes& file, FileHeader& header);

// Writes canvas height x width x channels (3, or 4 with alpha). As Pillow does, what the frame does not cover has
// the transparent colour, or colour 0 where there is none. Throws DataError unless all of the frame is there.
void DecodeGif(const Bytes& file, size_t channels, uint8_t* out);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_GIF_H_
